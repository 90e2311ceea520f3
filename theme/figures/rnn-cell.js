// <unrolled-rnn-cell>: the smallest recurrent network, one hidden unit, drawn once per time step.
// The reader steps through time, changes inputs and moves the weights.

import { attach, buttonRow, choice, html, number, reducedMotion, slider, svg } from "./svg.js";

const NONLINEARITIES = { tanh: Math.tanh, relu: (z) => Math.max(z, 0) };

/**
 * The whole computation: z_t = w_x x_t + w_h h_{t-1} + b, h_t = f(z_t), y_t = w_y h_t + c,
 * for numbers x_1 … x_T from h_0. Returns the arrays z, h and y, each of x's length.
 */
export function unroll({ w_x, w_h, b, w_y, c, nonlinearity, x, h_0 = 0 }) {
  const f = NONLINEARITIES[nonlinearity];
  const z = [], h = [], y = [];
  let h_previous = h_0;
  for (const x_t of x) {
    const z_t = w_x * x_t + w_h * h_previous + b;
    h_previous = f(z_t);
    z.push(z_t);
    h.push(h_previous);
    y.push(w_y * h_previous + c);
  }
  return { z, h, y };
}

const PRESETS = {
  "Fading trace": { nonlinearity: "tanh", w_x: 1, w_h: 0.8, b: 0, w_y: 1, c: 0, x: [1, 0, 0, 0, 0] },
  "No memory": { nonlinearity: "tanh", w_x: 1, w_h: 0, b: 0, w_y: 1, c: 0, x: [1, 0, 1, 1, 0] },
  "Latch": { nonlinearity: "tanh", w_x: 3, w_h: 2, b: 0, w_y: 1, c: 0, x: [1, 0, 0, -1, 0] },
  "Counter": { nonlinearity: "relu", w_x: 1, w_h: 1, b: 0, w_y: 1, c: 0, x: [1, 0, 1, 1, 0] },
  "Explosion": { nonlinearity: "relu", w_x: 1, w_h: 2, b: 0, w_y: 1, c: 0, x: [1, 0, 0, 0, 0] },
};

const WEIGHTS = {
  w_x: "input → memory", w_h: "memory → memory", b: "bias of memory",
  w_y: "memory → output", c: "bias of output",
};

// heights in CSS pixels; widths follow the page, so that text never shrinks
const Y = { top: 4, height: 42 }, H = { top: 88, height: 46 }, Z = { top: 162, height: 40 };
const BOTTOM = 248;

const CSS = `
.card { padding: 1rem clamp(0.5rem, 2.5cqi, 1.25rem); }
.presets { display: flex; flex-wrap: wrap; gap: 0.4rem 0.6rem; align-items: center; margin-bottom: 1rem; }
.presets button { font-size: 0.88rem; min-height: 2rem; padding: 0.1rem 0.65rem; }
.presets .buttons { gap: 0.4rem; }
.inputs { display: grid; }
.inputs button { width: calc(100% - 8px); max-width: 4.6rem; min-width: 0; padding: 0.15rem 0;
  justify-self: center; line-height: 1.25; border-color: var(--input); background: var(--input-wash); }
.inputs button:hover { outline: 1px solid var(--input); }
.inputs .value { display: block; color: var(--input); font-weight: 600; }
.hint { color: var(--muted); font-size: 0.85rem; margin: 0.4rem 0 0.8rem; }
.formula { display: grid; gap: 0.2rem 0.6rem; grid-template-columns: auto 1fr; align-content: start; margin: 1rem 0;
  padding: 0.7rem 0.8rem; border-radius: 8px; background: var(--shade); }
.formula p { display: contents; }
.formula .filled { font-variant-numeric: tabular-nums; }
.formula b { color: var(--state); }
.formula .output b { color: var(--output); }
.math i { padding-right: 0.04em; }
.controls { display: grid; gap: 0.6rem 1.5rem; margin-top: 1rem; grid-template-columns: 1fr 1fr 1fr; }
details { margin-top: 0.9rem; }
summary { cursor: pointer; color: var(--muted); min-height: 1.75rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; margin-top: 0.3rem; }
th, td { text-align: right; padding: 0.1rem clamp(0.2rem, 1.6cqi, 0.9rem); border-bottom: 1px solid var(--line); font-weight: 400; }
svg text { font-size: 13px; text-anchor: middle; }
svg .symbol { font-family: "KaTeX_Main", "STIX Two Text", Georgia, serif; font-size: 13px; fill: var(--muted); }
svg .value { font-weight: 600; font-variant-numeric: tabular-nums; }
svg .row { text-anchor: start; font-size: 12.5px; }
svg rect, svg circle { stroke-width: 1.25; }
svg .wire { fill: none; stroke: var(--edge); stroke-width: 1.25; }
svg .tip { fill: var(--edge); }
svg .now .wire { stroke: var(--ink); stroke-width: 2; }
svg .now .tip { fill: var(--ink); }
svg .now .symbol { fill: var(--ink); }
svg .later .wire, svg .later rect { stroke-dasharray: 3 4; }
svg .h rect { fill: var(--paper); stroke: var(--state); }
svg .h .level { fill: var(--state); opacity: 0.55; }
svg .h .level { stroke: none; }
svg .h .value { fill: var(--state); }
svg .z rect { fill: var(--paper); stroke: var(--edge); }
svg .z .value { font-weight: 400; }
svg .y rect { fill: var(--output-wash); stroke: var(--output); }
svg .y .value { fill: var(--output); }
svg .now .h rect.box, svg .now .y rect { stroke-width: 2.5; }
@container (max-width: 560px) {
  .controls { grid-template-columns: 1fr 1fr; }
  .formula { grid-template-columns: 1fr; gap: 0; font-size: 0.88rem; }
  .formula { min-height: 12.4em; }
  .formula .filled { padding-left: 0.8rem; margin-bottom: 0.25rem; }
  svg text, svg .symbol { font-size: 12px; }
}
@container (max-width: 380px) {
  svg .value { font-size: 10.5px; }
  .formula { min-height: 13.2em; }
  table { font-size: 0.75rem; }
  th, td { padding-inline: 0.15rem; }
}
`;

// the numbers of a step: fewer decimals where the whole part is long, so that each fits its box
const show = (value) => number(value, Math.abs(value) >= 100 ? 1 : 2);
const weight = (value) => number(value, 1);
const inBrackets = (text) => (text.startsWith("−") ? `(${text})` : text);

/** A letter with its index, for a page: `x_t` as <i>x</i><sub>t</sub>. */
function symbol(letter, index = "") {
  return html("span", { class: "math" }, html("i", {}, letter), index === "" ? "" : html("sub", {}, index));
}

/** The same inside a drawing, where an index is lowered by hand. */
function label(letter, index, x, y) {
  return svg("text", { class: "symbol", x, y },
    svg("tspan", { "font-style": "italic" }, letter),
    svg("tspan", { dy: 3, "font-size": "0.75em" }, index));
}

function arrow(path, x, y, degrees) {
  return [
    svg("path", { class: "wire", d: path }),
    svg("path", { class: "tip", d: "M0 0 L-7 3.5 L-7 -3.5 Z", transform: `translate(${x} ${y}) rotate(${degrees})` }),
  ];
}

class RNNCell extends HTMLElement {
  connectedCallback() {
    if (!this.shadowRoot) this.build();
    this.observer = new ResizeObserver(() => this.draw());
    this.observer.observe(this);
  }

  disconnectedCallback() {
    this.observer.disconnect();
    this.pause();
  }

  build() {
    this.model = structuredClone(PRESETS["Fading trace"]);
    this.t = 1;
    const root = attach(this, CSS);

    this.sliders = Object.fromEntries(Object.entries(WEIGHTS).map(([name, role]) => {
      const [letter, index] = name.split("_");
      const text = html("span", {}, symbol(letter, index), " ", html("small", {}, role));
      return [name, slider({
        label: text, min: -3, max: 3, step: 0.1, value: this.model[name], format: weight,
        onInput: (value) => { this.model[name] = value; this.update(); },
      })];
    }));
    this.nonlinearity = choice({
      legend: "Function f", options: [["tanh", "tanh"], ["relu", "ReLU"]], value: this.model.nonlinearity,
      onChange: (value) => { this.model.nonlinearity = value; this.update(); },
    });
    this.inputs = this.model.x.map((_, i) => html("button", {
      type: "button",
      onclick: () => { this.model.x[i] = { 0: 1, 1: -1, [-1]: 0 }[this.model.x[i]]; this.update(); },
    }));
    const time = buttonRow("Time", [
      { label: "Step", onClick: () => { this.pause(); this.go(this.t + 1); } },
      { label: "Back", onClick: () => { this.pause(); this.go(this.t - 1); } },
      { label: "Play", onClick: () => (this.timer ? this.pause() : this.play()) },
      { label: "Reset", onClick: () => { this.pause(); this.go(0); } },
    ]);
    [this.stepButton, this.backButton, this.playButton, this.resetButton] = time.buttons;
    const presets = buttonRow("Examples", Object.entries(PRESETS).map(([name, preset]) => (
      { label: name, onClick: () => this.load(preset) })));

    this.drawing = svg("svg", { role: "img", height: BOTTOM });
    this.formula = html("div", { class: "formula" });
    this.table = html("table");
    this.status = html("p", { class: "unseen", "aria-live": "polite" });
    this.inputRow = html("div", { class: "inputs", role: "group", "aria-label": "Inputs" }, ...this.inputs);
    root.append(html("figure", { class: "card" },
      html("div", { class: "presets" }, html("span", {}, "Try"), presets.element),
      this.drawing,
      this.inputRow,
      html("p", { class: "hint" }, "Press an input to change it: 1, −1, 0. Numbers are shown rounded."),
      time.element,
      this.formula,
      html("div", { class: "controls" },
        ...Object.values(this.sliders).map(({ element }) => element), this.nonlinearity.element),
      html("details", {}, html("summary", {}, "All numbers as a table"), this.table),
      this.status));
    this.update();
  }

  load(preset) {
    this.model = structuredClone(preset);
    for (const name of Object.keys(WEIGHTS)) this.sliders[name].set(preset[name]);
    this.nonlinearity.set(preset.nonlinearity);
    this.update();
  }

  go(t) {
    this.t = Math.min(Math.max(t, 0), this.model.x.length);
    this.update();
  }

  play() {
    const T = this.model.x.length;
    // whoever asks for less motion gets the end at once
    if (reducedMotion()) return this.go(T);
    this.go(this.t === T ? 0 : this.t + 1);
    this.timer = setInterval(() => (this.t < T ? this.go(this.t + 1) : this.pause()), 900);
    this.playButton.textContent = "Pause";
  }

  pause() {
    clearInterval(this.timer);
    this.timer = null;
    if (this.playButton) this.playButton.textContent = "Play";
  }

  update() {
    this.values = unroll(this.model);
    const { x } = this.model, T = x.length, t = this.t;
    // aria-disabled leaves the focus where it is, which disabled would not
    this.stepButton.setAttribute("aria-disabled", t === T);
    this.backButton.setAttribute("aria-disabled", t === 0);
    this.inputs.forEach((button, i) => {
      button.replaceChildren(symbol("x", i + 1), " ", html("span", { class: "value" }, number(x[i], 0)),
        html("span", { class: "unseen" }, " press to change"));
    });
    this.fillFormula();
    this.fillTable();
    this.draw();
  }

  fillFormula() {
    const { model: { w_x, w_h, b, w_y, c, x, nonlinearity }, values: { z, h, y }, t } = this;
    const f = nonlinearity === "tanh" ? "tanh" : "ReLU";
    const i = t - 1, h_previous = t > 1 ? h[t - 2] : 0;
    const at = t === 0 ? "t" : t, before = t === 0 ? "t−1" : t - 1;
    const line = (kind, left, filled, result) => html("p", { class: kind }, html("span", {}, ...left),
      html("span", { class: "filled" }, ...(t === 0 ? [""] : ["= ", filled, " = ", html("b", {}, result)])));
    const times = (value, other) => `${inBrackets(weight(value))} · ${inBrackets(other)}`;
    this.formula.replaceChildren(
      line("sum", [symbol("z", at), " = ", symbol("w", "x"), " ", symbol("x", at), " + ", symbol("w", "h"), " ",
        symbol("h", before), " + ", symbol("b")],
        t && `${times(w_x, number(x[i], 0))} + ${times(w_h, show(h_previous))} + ${inBrackets(weight(b))}`, t && show(z[i])),
      line("bend", [symbol("h", at), ` = ${f}(`, symbol("z", at), ")"], t && `${f}(${show(z[i])})`, t && show(h[i])),
      line("output", [symbol("y", at), " = ", symbol("w", "y"), " ", symbol("h", at), " + ", symbol("c")],
        t && `${times(w_y, show(h[i]))} + ${inBrackets(weight(c))}`, t && show(y[i])));
    this.status.textContent = t === 0
      ? "Before the first step the memory h is 0."
      : `Step ${t} of ${x.length}: x is ${number(x[i], 0)}, the memory h goes from ${show(h_previous)} to ${show(h[i])}, the output y is ${show(y[i])}.`;
  }

  fillTable() {
    const { model: { x }, values: { z, h, y }, t } = this;
    const row = (name, numbers) => html("tr", {}, html("th", { scope: "row" }, name), ...numbers.map((text, i) =>
      html("td", {}, i < t ? text : "–")));
    this.table.replaceChildren(
      html("tr", {}, html("th", { scope: "col" }, "step"), ...x.map((_, i) => html("th", { scope: "col" }, i + 1))),
      row("x", x.map((value) => number(value, 0))), row("z", z.map(show)), row("h", h.map(show)), row("y", y.map(show)));
  }

  draw() {
    const { model: { x }, values: { z, h, y }, t, drawing } = this;
    const width = Math.round(drawing.getBoundingClientRect().width);
    if (!width) return;
    const T = x.length, wide = width > 520, first = wide ? 118 : 30;
    const column = (width - first) / T, box = Math.min(72, column - (wide ? 11 : 8));
    const scale = Math.max(1, ...h.slice(0, t).map(Math.abs));
    this.inputRow.style.gridTemplateColumns = `${first}px repeat(${T}, minmax(0, 1fr))`;
    this.inputs[0].style.gridColumn = 2;

    const name = wide ? [
      svg("text", { class: "row", x: 0, y: Y.top + 26, fill: "var(--output)" }, "output y"),
      svg("text", { class: "row", x: 0, y: H.top + 28, fill: "var(--state)" }, "memory h"),
      svg("text", { class: "row", x: 0, y: BOTTOM - 8, fill: "var(--input)" }, "input x"),
    ] : [];
    // the memory before the first step
    const start = first - (wide ? 24 : 15), radius = wide ? 17 : 13;
    const zero = svg("g", { class: "h" },
      svg("circle", { cx: start, cy: H.top + 23, r: radius, fill: "var(--paper)", stroke: "var(--state)" }),
      svg("text", { class: "value", x: start, y: H.top + 27.5 }, "0"),
      label("h", 0, start, H.top - 4));

    const steps = x.map((_, i) => {
      const centre = first + column * (i + 0.5), left = centre - box / 2;
      const from = i === 0 ? start + radius : centre - column + box / 2;
      const known = i < t, when = i + 1 === t ? "now" : known ? "before" : "later";
      const boxOf = ({ top, height }) => svg("rect", { class: "box", x: left, y: top, width: box, height, rx: 6 });
      const value = (text, { top, height }) => known
        ? svg("text", { class: "value", x: centre, y: top + height - 9 }, text) : null;
      const level = known ? Math.abs(h[i]) / scale * (H.height / 2 - 2) : 0;
      const middle = H.top + H.height / 2;
      const start_y = H.top + 23, end_y = Z.top + 20, bend = (left - from) * (wide ? 0.55 : 0.9);
      return svg("g", { class: when },
        // the four arrows of a step: w_x up, w_h from the memory before, f up, w_y up
        ...arrow(`M${centre} ${BOTTOM} V${Z.top + Z.height + 6}`, centre, Z.top + Z.height, -90),
        ...arrow(`M${from} ${start_y} C${from + bend} ${start_y} ${left - bend} ${end_y} ${left - 6} ${end_y}`, left, end_y, 0),
        ...arrow(`M${centre} ${Z.top} V${H.top + H.height + 6}`, centre, H.top + H.height, -90),
        ...arrow(`M${centre} ${H.top} V${Y.top + Y.height + 6}`, centre, Y.top + Y.height, -90),
        label("w", "x", centre + 13, BOTTOM - 14),
        wide ? label("w", "h", (from + left) / 2 - 14, (start_y + end_y) / 2 + 13)
          : label("w", "h", (from + left) / 2, Z.top + Z.height + 13),
        label("f", "", centre + 9, H.top + H.height + 19),
        label("w", "y", centre + 13, H.top - 16),
        svg("g", { class: "z" }, boxOf(Z), label("z", i + 1, centre, Z.top + 15), value(show(z[i]), Z)),
        svg("g", { class: "h" }, boxOf(H),
          svg("rect", { class: "level", x: left + 1, width: 5, height: level, y: h[i] < 0 ? middle : middle - level }),
          label("h", i + 1, centre, H.top + 17), value(show(h[i]), H)),
        svg("g", { class: "y" }, boxOf(Y), label("y", i + 1, centre, Y.top + 16), value(show(y[i]), Y)));
    });
    drawing.setAttribute("viewBox", `0 0 ${width} ${BOTTOM}`);
    drawing.setAttribute("aria-label", `One recurrent cell drawn ${T} times, left to right. ` +
      "At each step an arrow brings the input up, and another the memory of the step before; the sum z goes through f " +
      "and becomes the new memory h, from which the output y is read. " +
      (t === 0 ? "No step has been computed yet." : `Memory so far: ${h.slice(0, t).map(show).join(", ")}.`));
    drawing.replaceChildren(...name, zero, ...steps);
  }
}

customElements.define("unrolled-rnn-cell", RNNCell);
