// room: 60.0rem, 77.3rem, 79.8rem
// <unrolled-gru>: one unit of a GRU and one of an LSTM read the same eight numbers. The reader writes
// the numbers and sets the gates, which get nothing but their bias, and sees both updates side by side.

import { Figure, field, player, within } from "./figure.js";
import { gruStep, lstmStep, unroll } from "./network.js";
import { buttonRow, html, number, numbers, slider, svg, symbol } from "./svg.js";

const SEES = 3; // the weight from the input to either candidate; what is past has the weight 1

/** The states of both cells after each number; `r`, `z`, `i`, `f` and `o` are the biases of the gates. */
export function compute({ x, r, z, i, f, o }) {
  const gru = { W_x: [[0], [0], [SEES]], W_h: [[0], [0], [1]], b: [r, z, 0], b_hn: [0] };
  const lstm = { W_x: [[0], [0], [SEES], [0]], W_h: [[0], [0], [1], [0]], b: [i, f, 0, o] };
  const run = (step, cell) => unroll((x_t, state) => step(cell, [x_t], state), x)
    .map((state) => Object.fromEntries(Object.entries(state).map(([name, [value]]) => [name, value])));
  return { gru: run(gruStep, gru), lstm: run(lstmStep, lstm) };
}

const EXAMPLES = {
  "Count": { x: [1, 1, 1, 1, -1, -1, -1, -1], r: -6, z: 1, i: 6, f: 6, o: -6 },
  "Hold": { x: [1, 0, 0, 0, 0, 0, 0, 0], r: -6, z: 3, i: 6, f: 6, o: -6 },
  "Follow": { x: [1, 1, -1, -1, 1, 1, -1, -1], r: -6, z: -3, i: 3, f: -3, o: 6 },
};
const NAMES = Object.keys(EXAMPLES);
const T = 8, LIMIT = 2, BIAS = 6;
const GATES = {
  z: ["z", "keeps"], r: ["r", "shows the past"], f: ["f", "keeps"], i: ["i", "writes"], o: ["o", "shows"],
};
const TALL = 170, INPUT = 46, LEFT = 26, GAP = 24;

const round = (value) => Math.round(10 * value) / 10;

class Gru extends Figure {
  static css = `
    .card { display: grid; gap: 0.7rem; grid-template-columns: minmax(0, 1fr); }
    .cells { display: grid; gap: 0.7rem 1.5rem; grid-template-columns: 1fr 1fr; align-items: start; }
    .cell { display: grid; gap: 0.3rem; }
    .cellname { font-weight: 600; margin: 0; }
    .gru .cellname { color: var(--gru); } .lstm .cellname { color: var(--lstm); }
    .algebra { background: var(--shade); border-radius: 8px; padding: 0.5rem 0.7rem; margin: 0;
      font-variant-numeric: tabular-nums; min-height: 7.2em; font-size: 0.92rem; }
    .algebra div { min-height: 1.5em; }
    .status { min-height: 2.9em; }
    svg .axis { stroke: var(--line); }
    svg .edge { stroke: var(--edge); stroke-dasharray: 4 4; }
    svg .now { fill: var(--shade); }
    svg .input { fill: var(--input); }
    svg path { fill: none; stroke-width: 2.5; }
    svg .gru { stroke: var(--gru); } svg .lstm { stroke: var(--lstm); }
    svg circle.gru { fill: var(--gru); } svg circle.lstm { fill: var(--lstm); }
    svg text { font-size: 12px; fill: var(--muted); }
    svg .tick { text-anchor: end; }
    svg .step { text-anchor: middle; }
    svg text.gru { fill: var(--gru); stroke: none; } svg text.lstm { fill: var(--lstm); stroke: none; }
    @container (max-width: 560px) {
      .cells { grid-template-columns: 1fr; }
      .status { min-height: 4.4em; }
    }
    @container (max-width: 380px) { .status { min-height: 5.8em; } .algebra { font-size: 0.8rem; min-height: 8.3em; } }`;
  static address = {
    x: (text) => text, t: within(1, T),
    ...Object.fromEntries(Object.keys(GATES).map((name) => [name, within(-BIAS, BIAS)])),
  };
  now = { ...EXAMPLES.Hold };
  t = 1;

  build() {
    this.examples = buttonRow("Examples", NAMES.map((name) => ({
      label: name, pressed: false, onClick: () => this.choose(EXAMPLES[name]),
    })));
    this.text = field({ label: "Eight numbers from −2 to 2, which both cells read", onInput: (text) => {
      this.now = { ...this.now, x: read(text, /[\s,;]+/) };
      this.update();
    } });
    this.drawing = svg("svg", { role: "img", height: INPUT + TALL + 2 * GAP });
    this.player = player({ T, t: this.t, label: "Step", pace: 700, onMove: (t) => { this.t = Math.max(t, 1); this.update(); } });
    this.sliders = Object.fromEntries(Object.entries(GATES).map(([name, [letter, does]]) => [name, slider({
      label: html("span", {}, "bias of ", symbol(letter), `, ${does}`), min: -BIAS, max: BIAS, step: 0.5, value: this.now[name],
      format: (bias) => number(bias, 1), onInput: (bias) => { this.now = { ...this.now, [name]: bias }; this.update(); },
    })]));
    this.algebra = { gru: html("div", { class: "algebra" }), lstm: html("div", { class: "algebra" }) };
    this.table = numbers("All numbers");
    const cell = (name, title, gates) => html("div", { class: `cell ${name}`, role: "group", "aria-label": title }, html("p", { class: "cellname" }, title),
      this.algebra[name], gates.map((gate) => this.sliders[gate].element));
    this.show();
    return [
      this.examples.element,
      ...this.text.elements, this.drawing, this.player.element,
      html("div", { class: "cells" }, cell("gru", "GRU", ["z", "r"]), cell("lstm", "LSTM", ["f", "i", "o"])),
      this.status, this.table.element,
    ];
  }

  choose(example) {
    this.now = { ...example };
    this.t = T;
    this.show();
    this.update();
  }

  /** The controls show what is set. */
  show() {
    this.text.set(this.now.x.map((value) => number(value, Number.isInteger(value) ? 0 : 1)).join(" "));
    this.player.set(this.t);
    for (const name of Object.keys(GATES)) this.sliders[name].set(this.now[name]);
  }

  render(width) {
    const { gru, lstm } = compute(this.now), { x } = this.now, t = this.t - 1;
    this.examples.set(NAMES.findIndex((name) => same(EXAMPLES[name], this.now)));
    this.draw(width, x, gru.map(({ h }) => h), lstm.map(({ c }) => c));
    const show = (value) => number(value), held = (states, name) => `(${show(t ? states[t - 1][name] : 0)})`;
    const one = gru[t], two = lstm[t];
    const lines = (box, rows) => box.replaceChildren(...rows.map((parts) => html("div", {}, parts)));
    const v = (letter) => symbol(letter, "t"), old = (letter) => symbol(letter, "t−1");
    lines(this.algebra.gru, [
      [v("n"), ` = ${show(one.n)}`],
      [v("h"), " = (1 − ", v("z"), ") ", v("n"), " + ", v("z"), " ", old("h")],
      [`= ${show(1 - one.z)} · (${show(one.n)}) + ${show(one.z)} · ${held(gru, "h")}`],
      ["= ", html("b", {}, show(one.h))],
    ]);
    lines(this.algebra.lstm, [
      [v("g"), ` = ${show(two.g)}`],
      [v("c"), " = ", v("i"), " ", v("g"), " + ", v("f"), " ", old("c")],
      [`= ${show(two.i)} · (${show(two.g)}) + ${show(two.f)} · ${held(lstm, "c")}`],
      ["= ", html("b", {}, show(two.c)), ", shown: ", v("h"), ` = ${show(two.h)}`],
    ]);
    this.say(`After step ${this.t}, where ${number(x[t], 1)} is read, the GRU holds ${show(one.h)} and the LSTM ${show(two.c)}. `
      + `Their largest memories are ${show(largest(gru.map(({ h }) => h)))} and ${show(largest(lstm.map(({ c }) => c)))}.`);
    this.table.fill(["step", "x", "GRU r", "z", "n", "h", "LSTM i", "f", "g", "o", "c", "h"], x.map((value, k) => [
      `${k + 1}`, number(value, 1), ...["r", "z", "n", "h"].map((name) => show(gru[k][name])),
      ...["i", "f", "g", "o", "c", "h"].map((name) => show(lstm[k][name])),
    ]));
  }

  draw(width, x, h, c) {
    const bound = Math.max(1.2, largest(h), largest(c)), step = (width - LEFT) / T;
    const at = (k) => LEFT + (k + 0.5) * step, top = INPUT + GAP, middle = top + TALL / 2;
    const y = (value) => middle - (value / bound) * (TALL / 2), zero = GAP + INPUT / 2;
    const line = (values) => values.map((value, k) => `${k ? "L" : "M"}${at(k).toFixed(1)} ${y(value).toFixed(1)}`).join("");
    const dots = (values, name) => svg("circle", { class: name, cx: at(this.t - 1), cy: y(values[this.t - 1]), r: 4 });
    const story = `The GRU's memory runs from ${number(h[0])} to ${number(h.at(-1))}, the LSTM's from ${number(c[0])} to ${number(c.at(-1))}.`;
    this.drawing.setAttribute("viewBox", `0 0 ${width} ${INPUT + TALL + 2 * GAP}`);
    this.drawing.setAttribute("aria-label", `Eight inputs, and the memories of both cells after each. ${story}`);
    this.drawing.replaceChildren(
      svg("rect", { class: "now", x: LEFT + (this.t - 1) * step, width: step, y: GAP - 6, height: INPUT + TALL + 12 }),
      svg("text", { x: 0, y: 12 }, "what both read"),
      svg("line", { class: "axis", x1: LEFT, x2: width, y1: zero, y2: zero }),
      ...x.map((value, k) => svg("rect", { class: "input", x: at(k) - step / 4, width: step / 2,
        y: value > 0 ? zero - (value / LIMIT) * (INPUT / 2) : zero, height: Math.abs(value / LIMIT) * (INPUT / 2) })),
      ...[1, -1].map((value) => svg("line", { class: "edge", x1: LEFT, x2: width, y1: y(value), y2: y(value) })),
      svg("line", { class: "axis", x1: LEFT, x2: width, y1: middle, y2: middle }),
      ...[...(bound > 2 ? [Math.floor(bound), -Math.floor(bound)] : []), 1, 0, -1].map((value) =>
        svg("text", { class: "tick", x: LEFT - 6, y: y(value) + 4 }, number(value, 0))),
      svg("path", { class: "lstm", d: line(c) }), svg("path", { class: "gru", d: line(h), "stroke-dasharray": "7 3" }),
      dots(c, "lstm"), dots(h, "gru"),
      ...x.map((_, k) => svg("text", { class: "step", x: at(k), y: top + TALL + 18 }, `${k + 1}`)));
  }

  get setting() {
    if (same(this.now, EXAMPLES.Hold) && this.t === 1) return {};
    const { x, ...biases } = this.now;
    return { x: x.join("/"), t: this.t, ...biases };
  }

  set setting({ x = EXAMPLES.Hold.x.join("/"), t = 1, ...biases }) {
    const { x: _, ...first } = EXAMPLES.Hold;
    this.now = { x: read(x, "/"), ...first, ...biases };
    this.t = Math.round(t);
    this.show();
  }
}

const largest = (values) => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
const same = (one, other) => JSON.stringify(Object.entries(one).sort()) === JSON.stringify(Object.entries(other).sort());

/** Eight numbers out of a text, or an error that says what is wrong with it. */
function read(text, between) {
  const parts = text.trim().replaceAll("−", "-").split(between).filter((part) => part !== "");
  const found = parts.map(Number);
  const wrong = parts.find((_, k) => !(Math.abs(found[k]) <= LIMIT));
  if (wrong !== undefined) throw new RangeError(`“${wrong}” is not a number from −${LIMIT} to ${LIMIT}`);
  if (found.length !== T) throw new RangeError(`here are ${found.length} numbers, and the cells read ${T}`);
  return found.map(round);
}

Gru.define("gru");
