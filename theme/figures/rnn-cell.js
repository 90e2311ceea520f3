// room: 62.7rem, 78.1rem, 87.2rem
// <unrolled-rnn-cell>: the smallest recurrent network, one hidden unit, drawn once for each of five
// steps, and below it what becomes of its memory over forty. The reader walks through time, changes
// inputs, and moves the weights, also by dragging their arrows.

import { Figure, oneOf, player, within } from "./figure.js";
import { rnnStep, unroll } from "./network.js";
import { arrow, buttonRow, choice, drag, html, label, number, numbers, put, slider, svg, symbol, toggle } from "./svg.js";

/** The arrays z, h and y, each of x's length, for x_1 … x_T from h_0: y_t = w_y h_t + c. */
export function compute({ w_x, w_h, b, w_y, c, nonlinearity, x, h_0 = 0 }) {
  const cell = { W_x: [[w_x]], W_h: [[w_h]], b: [b], nonlinearity };
  const states = unroll((x_t, state) => rnnStep(cell, [x_t], state), x, { h: [h_0] });
  const [z, h] = ["z", "h"].map((name) => states.map((state) => state[name][0]));
  return { z, h, y: h.map((value) => w_y * value + c) };
}

const EXAMPLES = {
  "Fading trace": { nonlinearity: "tanh", w_x: 1, w_h: 0.8, b: 0, w_y: 1, c: 0, x: [1, 0, 0, 0, 0] },
  "No memory": { nonlinearity: "tanh", w_x: 1, w_h: 0, b: 0, w_y: 1, c: 0, x: [1, 0, 1, 1, 0] },
  "Latch": { nonlinearity: "tanh", w_x: 3, w_h: 2, b: 0, w_y: 1, c: 0, x: [1, 0, 0, -1, 0] },
  "Counter": { nonlinearity: "relu", w_x: 1, w_h: 1, b: 0, w_y: 1, c: 0, x: [1, 0, 1, 1, 0] },
  "Explosion": { nonlinearity: "relu", w_x: 1, w_h: 2, b: 0, w_y: 1, c: 0, x: [1, 0, 0, 0, 0] },
};
const NAMES = Object.keys(EXAMPLES);
const slug = (name) => name.toLowerCase().replace(" ", "-");
const WEIGHTS = {
  w_x: "input → memory", w_h: "memory → memory", b: "bias of memory",
  w_y: "memory → output", c: "bias of output",
};
const T = 5, LONG = 40, BOUND = 3;

// heights in CSS pixels; widths follow the page, so that text never shrinks
const Y = { top: 4, height: 42 }, H = { top: 88, height: 46 }, Z = { top: 162, height: 40 };
const BOTTOM = 248, STRIP = 110, MARGIN = 8;

const CSS = `
.card { display: grid; gap: 0.7rem; }
.examples button { font-size: 0.88rem; min-height: 2rem; padding: 0.1rem 0.65rem; }
.examples .buttons { gap: 0.4rem; }
.inputs { display: grid; }
.inputs button { width: calc(100% - 8px); max-width: 4.6rem; min-width: 0; padding: 0.15rem 0;
  justify-self: center; line-height: 1.25; border-color: var(--input); background: var(--input-wash); }
.inputs button:hover { outline: 1px solid var(--input); }
.inputs .value { display: block; color: var(--input); font-weight: 600; }
.hint { color: var(--muted); font-size: 0.85rem; }
.guess { display: grid; grid-template-columns: auto 1fr auto; gap: 0.5rem 1.2rem; align-items: end; }
.guess > .slider, .guess > .hint { grid-area: 1 / 2; }
.guess > .hint { min-height: 0; align-self: center; }
.formula { display: grid; gap: 0.2rem 0.6rem; grid-template-columns: auto 1fr; align-content: start;
  padding: 0.7rem 0.8rem; border-radius: 8px; background: var(--shade); }
.formula p { display: contents; }
.formula .filled { font-variant-numeric: tabular-nums; }
.formula b { color: var(--state); }
.formula .output b { color: var(--output); }
.controls { display: grid; gap: 0.6rem 1.5rem; grid-template-columns: 1fr 1fr 1fr; }
.status { min-height: 2.9em; }
svg text { text-anchor: middle; }
svg .value { font-weight: 600; font-variant-numeric: tabular-nums; }
svg .row { text-anchor: start; font-size: 12.5px; }
svg .now .wire { stroke: var(--ink); stroke-width: 2; }
svg .now .tip, svg .now .symbol { fill: var(--ink); }
svg .later .wire, svg .later rect { stroke-dasharray: 3 4; }
svg .h rect, svg .h circle { fill: var(--paper); stroke: var(--state); }
svg .h .level { fill: var(--state); opacity: 0.55; stroke: none; }
svg .h .value { fill: var(--state); }
svg .z rect { fill: var(--paper); stroke: var(--edge); }
svg .z .value { font-weight: 400; }
svg .y rect { fill: var(--output-wash); stroke: var(--output); }
svg .y .value { fill: var(--output); }
svg .now .h rect.box, svg .now .y rect { stroke-width: 2.5; }
svg .handle { fill: none; stroke: var(--state); stroke-opacity: 0; stroke-width: 24; stroke-linecap: round; }
svg g:hover > .handle { stroke-opacity: 0.2; }
.strip .shade { fill: var(--shade); }
.strip .axis { stroke: var(--edge); }
.strip .bars { fill: var(--state); }
.strip .ghost { fill: none; stroke: var(--lstm); stroke-width: 1.5; stroke-dasharray: 4 3; }
.strip .dot { fill: var(--paper); stroke: var(--output); stroke-width: 3; }
.strip text { font-size: 12px; fill: var(--muted); text-anchor: end; }
.strip .over { stroke: var(--paper); stroke-width: 7; stroke-linejoin: round; paint-order: stroke; }
.hint .ghost { display: inline-block; width: 1.8em; vertical-align: 0.3em; border-top: 2px dashed var(--lstm); }
@container (max-width: 560px) {
  .controls { grid-template-columns: 1fr 1fr; }
  .controls output { min-width: 2.3em; text-align: right; } /* as wide as −3.0, so that labels do not break anew */
  .formula { grid-template-columns: 1fr; gap: 0; font-size: 0.88rem; }
  .formula .filled { padding-left: 0.8rem; margin-bottom: 0.25rem; min-height: 1.45em; }
  .status { min-height: 5.8em; }
  .guess { grid-template-columns: auto 1fr; }
  .guess > .slider, .guess > .hint { grid-area: 2 / 1 / auto / -1; }
  .guess > :nth-child(3) { justify-self: start; }
  .hint { min-height: 2.9em; }
  svg text { font-size: 12px; }
}
@container (max-width: 420px) { .sum .filled { min-height: 2.9em; } .status { min-height: 7.25em; } }
@container (max-width: 380px) { svg .value { font-size: 11px; } }
`;

// the numbers of a step: fewer decimals where the whole part is long, so that each fits its box
const show = (value) => number(value, Math.abs(value) >= 100 ? 1 : 2);
const weight = (value) => number(value, 1);
const inBrackets = (text) => (text.startsWith("−") ? `(${text})` : text);

class RNNCell extends Figure {
  static css = CSS;
  static address = {
    ...Object.fromEntries(Object.keys(WEIGHTS).map((name) => [name, within(-BOUND, BOUND)])),
    example: oneOf(...NAMES.map(slug)), f: oneOf("tanh", "relu"), t: within(0, T), guess: oneOf("on"),
    x(text, name) {
      const x = text.split(".").map((part) => within(-1, 1)(part, name));
      if (x.length === T) return x.map(Math.round);
      throw new RangeError(`x has ${x.length} numbers, but must have ${T}`);
    },
  };

  example = NAMES[0];
  model = structuredClone(EXAMPLES[NAMES[0]]);
  ghost = null; // h over the strip, in the setting before
  changed = -Infinity; // when
  guess = { on: false, revealed: false, value: 0 };

  build() {
    this.sliders = Object.fromEntries(Object.entries(WEIGHTS).map(([name, role]) => [name, slider({
      label: html("span", {}, symbol(...name.split("_")), " ", html("small", {}, role)),
      min: -BOUND, max: BOUND, step: 0.1, value: this.model[name], format: weight,
      onInput: (value) => this.change({ [name]: value }),
    })]));
    this.nonlinearity = choice({
      legend: "Activation function f", options: [["tanh", "tanh"], ["relu", "ReLU"]], value: "tanh",
      onChange: (nonlinearity) => this.change({ nonlinearity }),
    });
    const next = { 0: 1, 1: -1, [-1]: 0 };
    this.inputs = this.model.x.map((_, i) => html("button", {
      type: "button", onclick: () => this.change({ x: this.model.x.map((value, k) => (k === i ? next[value] : value)) }),
    }));
    this.examples = buttonRow("Examples", NAMES.map((name) => ({
      label: name, pressed: false, onClick: () => { this.example = name; this.change(EXAMPLES[name], true); },
    })));
    this.player = player({ T, t: 1, onMove: () => this.update() });

    this.scene = svg("g");
    this.handles = svg("g"); // they stay when the scene is drawn anew under the pointer
    this.chain = svg("svg", { role: "img", height: BOTTOM }, this.scene, this.handles);
    let before;
    drag(this.chain, {
      start: (name) => { before = this.model[name]; },
      move: (name, pixels) => {
        const value = Math.round(10 * Math.min(Math.max(before + pixels / 50, -BOUND), BOUND)) / 10;
        if (value !== this.model[name]) this.change({ [name]: value });
      },
    });
    this.inputRow = html("div", { class: "inputs", role: "group", "aria-label": "Inputs" }, this.inputs);

    this.strip = svg("svg", { class: "strip", role: "img", height: STRIP });
    drag(this.strip, { move: (_, __, event) => {
      const { low, high } = this.range(), from = this.strip.getBoundingClientRect().top;
      const share = Math.min(Math.max((event.clientY - from - MARGIN) / (STRIP - 2 * MARGIN), 0), 1);
      this.setGuess(high - share * (high - low));
    } });
    this.guessing = toggle({ label: "Guess first", onChange: (on) => {
      this.guess = { on, revealed: false, value: 0 };
      this.update();
    } });
    this.guessed = slider({
      label: html("span", {}, "Your guess for ", symbol("h", LONG)), min: -1, max: 1, step: 0.01, value: 0,
      onInput: (value) => this.setGuess(value),
    });
    this.reveal = html("button", { type: "button", onclick: () => {
      this.guess.revealed = true;
      this.update();
    } }, "Reveal");

    this.formula = html("div", { class: "formula" });
    this.table = numbers("All numbers as a table");
    return [
      html("div", { class: "examples" }, this.examples.element),
      html("div", {}, this.chain, this.inputRow,
        html("p", { class: "hint" }, "Drag an arrow up or down to change its weight. Press an input to change it.")),
      this.player.element,
      html("div", {},
        html("p", { class: "hint" }, `The memory h over ${LONG} steps, with input 0 after step ${T}; `,
          html("span", { class: "ghost", "aria-hidden": "true" }), " the setting before"),
        this.strip),
      html("div", { class: "guess" }, this.guessing.element, this.guessed.element, this.reveal,
        this.invite = html("p", { class: "hint" }, "Hide the bars, guess where the memory ends, and then reveal them.")),
      html("div", { class: "controls" },
        Object.values(this.sliders).map(({ element }) => element), this.nonlinearity.element),
      this.status,
      this.formula,
      this.table.element,
    ];
  }

  /** A part of the setting is new. The ghost is the last setting that stood for a second. */
  change(part, alone = false) {
    const now = performance.now();
    if ((alone || now - this.changed > 1000) && !this.secret) this.ghost = this.long().h;
    this.changed = now;
    this.model = structuredClone({ ...this.model, ...part });
    this.guess.revealed = false;
    this.update();
  }

  setGuess(value) {
    this.guess.value = Math.round(100 * value) / 100;
    this.update();
  }

  /** Is the memory hidden, for the reader to guess? */
  get secret() { return this.guess.on && !this.guess.revealed; }

  /** The numbers of the strip. */
  long() {
    return compute({ ...this.model, x: Array.from({ length: LONG }, (_, i) => this.model.x[i] ?? 0) });
  }

  /** What the strip's height stands for; where one guesses, it gives nothing away. */
  range() {
    if (this.model.nonlinearity === "tanh") return { low: -1, high: 1 };
    const highest = Math.max(...this.long().h);
    return { low: 0, high: this.guess.on ? 20 : [1, 5].find((bound) => highest <= bound) ?? 20 };
  }

  get setting() {
    const { model, example, guess, player: { t } } = this, given = EXAMPLES[example], setting = {};
    if (example !== NAMES[0]) setting.example = slug(example);
    for (const name of Object.keys(WEIGHTS)) if (model[name] !== given[name]) setting[name] = model[name];
    if (model.nonlinearity !== given.nonlinearity) setting.f = model.nonlinearity;
    if (`${model.x}` !== `${given.x}`) setting.x = model.x.join(".");
    if (t !== 1) setting.t = t;
    if (guess.on) setting.guess = "on";
    return setting;
  }

  set setting({ example = slug(NAMES[0]), f, t = 1, guess, ...rest }) {
    this.example = NAMES.find((name) => slug(name) === example);
    this.model = structuredClone({ ...EXAMPLES[this.example], ...rest, ...(f && { nonlinearity: f }) });
    this.guess = { on: guess === "on", revealed: false, value: 0 };
    this.ghost = null;
    this.player.set(Math.round(t));
  }

  render(width) {
    const { model, guess, player: { t } } = this;
    this.values = compute(model);
    this.examples.set(NAMES.findIndex((name) => JSON.stringify(EXAMPLES[name]) === JSON.stringify(model)));
    for (const name of Object.keys(WEIGHTS)) this.sliders[name].set(model[name]);
    this.nonlinearity.set(model.nonlinearity);
    this.inputs.forEach((button, i) => put(button, symbol("x", i + 1), " ",
      html("span", { class: "value" }, number(model.x[i], 0)), html("span", { class: "unseen" }, " press to change")));
    this.guessing.set(guess.on);
    for (const part of [this.guessed.element, this.reveal]) part.style.visibility = guess.on ? "visible" : "hidden";
    this.invite.style.visibility = guess.on ? "hidden" : "visible";
    Object.assign(this.guessed.input, { min: this.range().low, max: this.range().high });
    this.guessed.set(guess.value);
    this.reveal.setAttribute("aria-disabled", guess.revealed);
    this.fillFormula(t);
    const { z, h, y } = this.long(), known = (i) => i < t || !this.secret;
    this.table.fill(["step", "x", "z", "h", "y"], h.map((_, i) => [i + 1, number(model.x[i] ?? 0, 0),
      ...[z, h, y].map((values) => (known(i) ? show(values[i]) : "–"))]));
    this.drawChain(width, t);
    this.drawStrip(width, h, known);
  }

  fillFormula(t) {
    const { model: { w_x, w_h, b, w_y, c, x, nonlinearity }, values: { z, h, y } } = this;
    const f = nonlinearity === "tanh" ? "tanh" : "ReLU";
    const i = t - 1, h_before = t > 1 ? h[t - 2] : 0;
    const at = t === 0 ? "t" : t, before = t === 0 ? "t−1" : t - 1;
    const line = (kind, left, filled, result) => html("p", { class: kind }, html("span", {}, left),
      html("span", { class: "filled" }, t === 0 ? "" : ["= ", filled, " = ", html("b", {}, result)]));
    const times = (value, other) => `${inBrackets(weight(value))} · ${inBrackets(other)}`;
    put(this.formula,
      line("sum", [symbol("z", at), " = ", symbol("w", "x"), " ", symbol("x", at), " + ", symbol("w", "h"), " ",
        symbol("h", before), " + ", symbol("b")],
        t && `${times(w_x, number(x[i], 0))} + ${times(w_h, show(h_before))} + ${inBrackets(weight(b))}`, t && show(z[i])),
      line("activation", [symbol("h", at), ` = ${f}(`, symbol("z", at), ")"], t && `${f}(${show(z[i])})`, t && show(h[i])),
      line("output", [symbol("y", at), " = ", symbol("w", "y"), " ", symbol("h", at), " + ", symbol("c")],
        t && `${times(w_y, show(h[i]))} + ${inBrackets(weight(c))}`, t && show(y[i])));

    const last = show(this.long().h[LONG - 1]), { guess } = this;
    this.say((t === 0 ? "Before the first step the memory h is 0. "
      : `Step ${t} of ${T}: x is ${number(x[i], 0)}, the memory h goes from ${show(h_before)} to ${show(h[i])}, the output y is ${show(y[i])}. `)
      + (this.secret ? `Where is h at step ${LONG}? Set your guess, then reveal.`
        : `At step ${LONG} h is ${last}${guess.on ? `, your guess was ${show(guess.value)}`
          : this.ghost ? `, in the setting before it was ${show(this.ghost[LONG - 1])}` : ""}.`));
  }

  drawChain(width, t) {
    const { model: { x }, values: { z, h, y } } = this;
    const wide = width > 520, first = wide ? 118 : 30;
    const column = (width - first) / T, box = Math.min(72, column - (wide ? 11 : 6));
    const scale = Math.max(1, ...h.slice(0, t).map(Math.abs));
    this.inputRow.style.gridTemplateColumns = `${first}px repeat(${T}, minmax(0, 1fr))`;
    this.inputs[0].style.gridColumn = 2;

    const names = wide ? [["output y", "output", Y.top + 26], ["memory h", "state", H.top + 28], ["input x", "input", BOTTOM - 8]] : [];
    // the memory before the first step
    const start = first - (wide ? 24 : 15), radius = wide ? 17 : 13, middle = H.top + H.height / 2, sum = Z.top + Z.height / 2;
    const zero = svg("g", { class: "h" }, svg("circle", { cx: start, cy: middle, r: radius }),
      svg("text", { class: "value", x: start, y: middle + 4.5 }, "0"), label("h", 0, start, H.top - 4));

    const handles = { w_x: [], w_h: [], w_y: [] };
    const steps = x.map((_, i) => {
      const centre = first + column * (i + 0.5), left = centre - box / 2;
      const from = i === 0 ? start + radius : centre - column + box / 2, curve = (left - from) * (wide ? 0.55 : 0.9);
      const known = i < t;
      const paths = {
        w_x: `M${centre} ${BOTTOM} V${Z.top + Z.height + 6}`,
        w_h: `M${from} ${middle} C${from + curve} ${middle} ${left - curve} ${sum} ${left - 6} ${sum}`,
        w_y: `M${centre} ${H.top} V${Y.top + Y.height + 6}`,
      };
      for (const [name, d] of Object.entries(paths)) handles[name].push(svg("path", { class: "handle", d }));
      const boxOf = ({ top, height }) => svg("rect", { class: "box", x: left, y: top, width: box, height, rx: 6 });
      const value = (text, { top, height }) => known
        ? svg("text", { class: "value", x: centre, y: top + height - 9 }, text) : null;
      const level = known ? Math.abs(h[i]) / scale * (H.height / 2 - 2) : 0;
      return svg("g", { class: i + 1 === t ? "now" : known ? "before" : "later" },
        arrow(paths.w_x, centre, Z.top + Z.height, -90), arrow(paths.w_h, left, sum, 0),
        arrow(`M${centre} ${Z.top} V${H.top + H.height + 6}`, centre, H.top + H.height, -90),
        arrow(paths.w_y, centre, Y.top + Y.height, -90),
        label("w", "x", centre + 13, BOTTOM - 14),
        wide ? label("w", "h", (from + left) / 2 - 14, (middle + sum) / 2 + 13)
          : label("w", "h", (from + left) / 2, Z.top + Z.height + 13),
        label("f", "", centre + 9, H.top + H.height + 19),
        label("w", "y", centre + 13, H.top - 16),
        svg("g", { class: "z" }, boxOf(Z), label("z", i + 1, centre, Z.top + 15), value(show(z[i]), Z)),
        svg("g", { class: "h" }, boxOf(H),
          svg("rect", { class: "level", x: left + 1, width: 5, height: level, y: h[i] < 0 ? middle : middle - level }),
          label("h", i + 1, centre, H.top + 17), value(show(h[i]), H)),
        svg("g", { class: "y" }, boxOf(Y), label("y", i + 1, centre, Y.top + 16), value(show(y[i]), Y)));
    });
    this.chain.setAttribute("viewBox", `0 0 ${width} ${BOTTOM}`);
    this.chain.setAttribute("aria-label", `One recurrent cell drawn ${T} times, left to right. ` +
      "At each step an arrow brings the input up, and another the memory of the step before; the sum z goes through f " +
      "and becomes the new memory h, from which the output y is read. " +
      (t === 0 ? "No step has been computed yet." : `Memory so far: ${h.slice(0, t).map(show).join(", ")}.`));
    put(this.scene, zero, steps, names.map(([text, role, at]) =>
      svg("text", { class: "row", x: 0, y: at, fill: `var(--${role})` }, text)));
    if (this.drawn !== width) {
      put(this.handles, Object.entries(handles).map(([name, paths]) => svg("g", { "data-drag": name }, paths)));
      this.drawn = width;
    }
  }

  drawStrip(width, h, known) {
    const { low, high } = this.range(), first = 26, column = (width - first - 8) / LONG, { guess } = this;
    const at = (value) => MARGIN + (high - Math.min(Math.max(value, low), high)) / (high - low) * (STRIP - 2 * MARGIN);
    const middle = (i) => first + column * (i + 0.5), zero = at(0);
    const bar = (value, i) => `M${middle(i) - 0.35 * column} ${zero}V${at(value)}h${0.7 * column}V${zero}z`;
    const out = this.secret ? -1 : h.findIndex((value) => value > high);
    this.strip.setAttribute("viewBox", `0 0 ${width} ${STRIP}`);
    this.strip.setAttribute("aria-label", `Memory h over ${LONG} steps. ` + (this.secret ? "Hidden until you reveal it."
      : `At steps 1, ${T}, 10, 20 and ${LONG}: ${[1, T, 10, 20, LONG].map((step) => show(h[step - 1])).join(", ")}.`));
    put(this.strip,
      svg("rect", { class: "shade", x: first, y: MARGIN, width: T * column, height: STRIP - 2 * MARGIN }),
      svg("path", { class: "axis", d: `M${first} ${zero}H${width - 8}` }),
      [...new Set([low, 0, high])].map((value) => svg("text", { x: first - 5, y: at(value) + 4 }, number(value, 0))),
      svg("path", { class: "bars", d: h.map((value, i) => (known(i) ? bar(value, i) : "")).join("") }),
      this.ghost && svg("path", { class: "ghost", d: "M" + this.ghost.map((value, i) => `${middle(i)} ${at(value)}`).join("L") }),
      // left of the bars that leave the strip, or over them where there is no room
      out < 0 ? null : svg("text", { class: "over", x: Math.max(middle(out) - column, first + 150), y: at(high) + 11 },
        `above ${high} from step ${out + 1}`),
      guess.on ? svg("circle", { class: "dot", cx: middle(LONG - 1), cy: at(guess.value), r: 6 }) : null,
      // all of its height is the guess's handle
      guess.on ? svg("rect", { "data-drag": "guess", x: width - 48, y: 0, width: 48, height: STRIP, fill: "transparent" }) : null);
  }
}

RNNCell.define("rnn-cell");
