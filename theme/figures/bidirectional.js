// room: 38.6rem, 42rem, 54.6rem
// <unrolled-bidirectional>: two sequences in one array, read from both ends by one tanh unit each way.
// The reader sets their lengths and the number in the padding, takes the lengths away, and has what
// then differs marked.

import { Figure, oneOf, within } from "./figure.js";
import { rnnStep, unroll } from "./network.js";
import { number, numbers, slider, svg, toggle } from "./svg.js";

const X = [[0.9, -0.4, 0.7, -0.8, 0.3, 0.6], [-0.6, 1.0, 0.5, 0.2, -0.7, 0.4]], T = X[0].length;
const CELLS = [{ W_x: [[1.2]], W_h: [[0.7]], b: [0.3] }, { W_x: [[0.9]], W_h: [[0.8]], b: [-0.4] }];
const EXAMPLE = { a: 6, b: 3, padding: 0, lengths: "yes", marks: "no" };
const NAMES = ["A", "B"], WAYS = ["→", "←"];
const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;

/** The states of both ways over one sequence, each at the step where it was computed. */
function states(x) {
  const read = (cell, inputs) => unroll((x_t, state) => rnnStep(cell, [x_t], state), inputs).map(({ h }) => h[0]);
  return [read(CELLS[0], x), read(CELLS[1], [...x].reverse()).reverse()];
}

/**
 * For each sequence: the array's column, the states of both ways (0 behind a given length), and what
 * is read of each way: the last state and the mean. With lengths that is the sequence's own last
 * state and the mean over its own steps; without, what stands at the last place, and the mean of all.
 */
export function compute({ lengths, padding, given, x = X }) {
  return x.map((inputs, k) => {
    const n = lengths[k], own = inputs.slice(0, n);
    const column = inputs.map((value, t) => (t < n ? value : padding));
    const alone = states(own);
    const filled = (h) => [...h, ...inputs.slice(n).map(() => 0)];
    const h = given ? alone.map(filled) : states(column);
    const ends = [alone[0][n - 1], alone[1][0]];
    const truth = { h: alone, last: ends, mean: alone.map(mean) };
    const last = given ? ends : h.map((way) => way.at(-1));
    return { column, h, last, mean: given ? truth.mean : h.map(mean), alone: truth };
  });
}

const differs = (a, b) => Math.abs(a - b) > 1e-9;

class Bidirectional extends Figure {
  static css = `
    .input { fill: var(--input-wash); stroke: var(--input); cursor: pointer; }
    .input.padding { fill: transparent; stroke: var(--edge); stroke-dasharray: 3 3; }
    .state { fill: var(--state-wash); stroke: var(--state); }
    .state.behind { fill: transparent; stroke: var(--edge); stroke-dasharray: 3 3; }
    .state.wrong { fill: var(--warm-wash); stroke: var(--lstm); stroke-width: 3; }
    .value { text-anchor: middle; font-variant-numeric: tabular-nums; pointer-events: none; }
    .value.behind { fill: var(--muted); }
    .way { text-anchor: middle; }
    .name, .value.wrong { font-weight: 600; }
    .told { font-variant-numeric: tabular-nums; }
    .told.wrong { font-weight: 600; fill: var(--lstm); }
    .controls { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: 0.5rem 1.25rem; margin: 0.75rem 0; }
    .toggles { display: flex; flex-wrap: wrap; gap: 0.5rem; margin-top: 0.75rem; }
    .status { min-height: 2.9em; }
    @container (max-width: 640px) { .status { min-height: 4.4em; } }
    @container (max-width: 420px) { .status { min-height: 5.8em; } }
    @container (max-width: 330px) { .status { min-height: 7.3em; } }`;
  static address = {
    a: within(1, T), b: within(1, T), padding: within(-2, 2),
    lengths: oneOf("yes", "no"), marks: oneOf("yes", "no"),
  };

  build() {
    Object.assign(this, EXAMPLE);
    const set = (name) => (value) => { this[name] = value; this.update(); };
    const onOff = (name) => (on) => set(name)(on ? "yes" : "no");
    this.drawing = svg("svg", { role: "img" });
    this.given = toggle({ label: "Lengths are given", on: true, onChange: onOff("lengths") });
    this.marked = toggle({ label: "Mark what differs", onChange: onOff("marks") });
    const length = (name, key) =>
      slider({ label: `length of ${name}`, min: 1, max: T, step: 1, value: this[key], format: String, onInput: set(key) });
    this.sliders = { a: length("A", "a"), b: length("B", "b") };
    this.sliders.padding = slider({ label: "number in the padding", min: -2, max: 2, step: 0.5, value: 0,
      format: (value) => number(value, 1), onInput: set("padding") });
    this.table = numbers("All numbers");
    const [toggles, row] = ["toggles", "controls"].map((name) => {
      const box = document.createElement("div");
      box.className = name;
      return box;
    });
    toggles.append(this.given.element, this.marked.element);
    row.append(...Object.values(this.sliders).map(({ element }) => element));
    return [this.drawing, toggles, row, this.status, this.table.element];
  }

  render(width) {
    const given = this.lengths === "yes", mark = this.marks === "yes", lengths = [this.a, this.b];
    const found = compute({ lengths, padding: this.padding, given });
    const left = 24, step = (width - left) / T, box = Math.min(step - 4, 72), tall = 26;
    const narrow = width < 420, block = narrow ? 218 : 178;
    const parts = [];
    let wrong = 0, answers = 0;
    found.forEach(({ column, h, last, mean: middle, alone }, k) => {
      const top = k * block, n = lengths[k], mid = (t) => left + step * (t + 0.5);
      const cell = (y, t, kind, text) => parts.push(
        svg("rect", { class: kind, x: mid(t) - box / 2, y, width: box, height: tall, rx: 5 }),
        svg("text", { class: `value ${kind.split(" ")[1] ?? ""}`, x: mid(t), y: y + 18 }, text));
      parts.push(svg("text", { class: "name", x: 0, y: top + 14 }, `${NAMES[k]}: ${n} of ${T} places`),
        svg("text", { class: "way", x: 9, y: top + 42, "font-style": "italic" }, "x"));
      column.forEach((value, t) => {
        cell(top + 24, t, t < n ? "input" : "input padding", number(value, 1));
        parts.at(-2).addEventListener("click", () => { this[k ? "b" : "a"] = t + 1; this.sliders[k ? "b" : "a"].set(t + 1); this.update(); });
      });
      h.forEach((way, d) => {
        const y = top + 60 + 32 * d;
        parts.push(svg("text", { class: "way", x: 9, y: y + 18 }, WAYS[d]));
        way.forEach((value, t) => {
          const off = t < n && differs(value, alone.h[d][t]);
          wrong += off;
          cell(y, t, t >= n ? "state behind" : off && mark ? "state wrong" : "state", number(value));
        });
      });
      const told = (text, y, values, truth) => {
        parts.push(svg("text", { class: "told", x: 0, y }, text));
        values.forEach((value, d) => {
          const off = differs(value, truth[d]);
          answers += off;
          parts.push(svg("text", { class: mark && off ? "told wrong" : "told", x: narrow ? 108 : 120 + 150 * d, y: y + (narrow ? 19 * d : 0) },
            `${WAYS[d]} ${number(value)}${mark && off ? ` ≠ ${number(truth[d])}` : ""}`));
        });
      };
      told(given ? "own last states" : "out[-1]", top + 138, last, alone.last);
      told(given ? "own mean" : "mean of all", top + (narrow ? 178 : 158), middle, alone.mean);
    });
    this.drawing.setAttribute("viewBox", `0 0 ${width} ${2 * block - 12}`);
    this.drawing.replaceChildren(...parts);
    const total = 2 * (this.a + this.b), padded = given ? "With lengths" : "Without lengths";
    const story = !mark ? `${padded}. Which states, and which numbers read at the end, are not those that each sequence has alone? Guess, then mark them.`
      : wrong + answers ? `${padded}, ${wrong} of ${total} states and ${answers} of 8 numbers read at the end are not those that each sequence has alone (behind the ≠).`
        : `${padded}, every state and every number read at the end is the one that the sequence has alone.`;
    this.drawing.setAttribute("aria-label", `Two sequences of ${this.a} and ${this.b} steps in an array of ${T} places, and the states of both ways. ${story}`);
    this.say(story);
    this.table.fill(["place", ...NAMES.flatMap((name) => [`x ${name}`, ...WAYS.map((way) => `${way} ${name}`)])],
      X[0].map((_, t) => [t + 1, ...found.flatMap(({ column, h }) =>
        [number(column[t], 1), number(h[0][t]), number(h[1][t])])]));
  }

  get setting() {
    const changed = Object.entries(EXAMPLE).filter(([name, value]) => this[name] !== value);
    return Object.fromEntries(changed.map(([name]) => [name, this[name]]));
  }

  set setting(setting) {
    Object.assign(this, EXAMPLE, setting);
    for (const [name, control] of Object.entries(this.sliders)) {
      this[name] = name === "padding" ? this[name] : Math.round(this[name]);
      control.set(this[name]);
    }
    this.given.set(this.lengths === "yes");
    this.marked.set(this.marks === "yes");
  }
}

Bidirectional.define("bidirectional");
