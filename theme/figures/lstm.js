// room: 48.8rem, 48.8rem, 52.7rem
// <unrolled-lstm>: an LSTM that rnnlib trained reads a sentence, here in the page. The reader writes
// the sentence and chooses a unit, and sees its gates and its memory after each word. Below, a dial:
// how long a memory lasts behind a forget gate with this bias.

import { Figure, field, within, wordsOf } from "./figure.js";
import { layer, lstmStep, unpack, unroll } from "./network.js";
import { html, number, numbers, slider, svg } from "./svg.js";

/** A function from words, as indices, to the state {i, f, g, o, c, h} after each of them. */
export function reader(weights) {
  const step = layer(lstmStep, weights, "rnn");
  return (words) => unroll(step, words.map((word) => weights["embedding.weight"][word]));
}

/** Steps until half of a memory is left, if the forget gate has nothing but its bias. */
export function halfLife(bias) {
  return Math.log(2) / Math.log1p(Math.exp(-bias)); // f = 1 / (1 + exp(-bias))
}

const FIRST = "the fridge is empty so after a short nap with my umbrella i am going to the";
const LONGEST = 24, STEPS = 100, BIAS = 1;
const ROWS = [["i", "writes"], ["f", "keeps"], ["o", "shows"], ["c", "memory"]];
const TALL = 40, GAP = 20, WORDS = 84, DIAL = 106;

class Lstm extends Figure {
  static css = `
    .i, .g { fill: var(--input); } .f { fill: var(--state); } .o { fill: var(--output); } .c { fill: var(--lstm); }
    .floor { stroke: var(--line); }
    .name { font-size: 12px; fill: var(--muted); }
    .word { font-size: 12px; text-anchor: end; }
    .fading { fill: none; stroke: var(--state); stroke-width: 2; }
    .half { stroke: var(--ink); stroke-dasharray: 4 4; }
    .told { font-size: 0.88rem; color: var(--muted); margin: 0; min-height: 1.45em; }
    .status { min-height: 2.9em; }
    @container (max-width: 420px) { .status { min-height: 5.8em; } .told { min-height: 2.9em; } }`;
  static weights = "lstm.json";
  static address = { story: (text) => text, unit: within(1, 64), bias: within(-2, 6) };
  story = FIRST;
  unit = 1;
  bias = BIAS;

  build() {
    this.text = field({ label: "A sentence; write your own", value: FIRST, onInput: (text) => {
      if (!this.model) return;
      this.tell(text);
      this.update();
    } });
    this.chosen = slider({ label: "unit of the memory", min: 1, max: 64, step: 1, value: this.unit,
      format: (unit) => `${unit}`, onInput: (unit) => { this.unit = unit; this.update(); } });
    this.drawing = svg("svg", { role: "img", height: ROWS.length * (TALL + GAP) + WORDS, "aria-label": "Gates and memory" });
    this.table = numbers("All numbers");
    this.dial = slider({ label: "bias of a forget gate", min: -2, max: 6, step: 0.5, value: BIAS,
      format: (bias) => number(bias, 1), onInput: (bias) => { this.bias = bias; this.update(); } });
    this.curve = svg("svg", { role: "img", height: DIAL, "aria-label": "A memory that fades" });
    this.told = html("p", { class: "told" });
    return [
      ...this.text.elements, this.chosen.element, this.drawing, this.status, this.table.element, this.dial.element, this.curve, this.told,
    ];
  }

  loaded(model) {
    this.model = model;
    this.network = reader(unpack(model.weights));
    this.index = new Map(model.vocabulary.map((word, i) => [word, i]));
    this.tell(this.story);
  }

  tell(text) {
    const words = wordsOf(text, this.index, LONGEST);
    this.states = this.network([0, ...words.map((word) => this.index.get(word))]).slice(1);
    this.story = words.join(" ");
  }

  render(width) {
    const words = this.story.split(" "), step = width / words.length, k = this.unit - 1;
    const rows = Object.fromEntries(ROWS.map(([name]) => [name, this.states.map((state) => state[name][k])]));
    const largest = Math.max(1, ...rows.c.map(Math.abs)), parts = [];
    ROWS.forEach(([name, does], row) => {
      const top = row * (TALL + GAP) + GAP, floor = name === "c" ? top + TALL / 2 : top + TALL;
      const scale = name === "c" ? TALL / 2 / largest : TALL;
      parts.push(svg("text", { class: "name", x: 0, y: top - 6 }, `${name} ${does}`),
        svg("line", { class: "floor", x1: 0, x2: width, y1: floor, y2: floor }));
      rows[name].forEach((value, t) => {
        const tall = Math.abs(value) * scale;
        parts.push(svg("rect", { class: name, x: t * step + 1, width: Math.max(step - 2, 1), height: tall, y: value > 0 ? floor - tall : floor }));
      });
    });
    const under = ROWS.length * (TALL + GAP) + 8;
    words.forEach((word, t) => {
      const x = (t + 0.5) * step + 4;
      parts.push(svg("text", { class: "word", x, y: under, transform: `rotate(-90 ${x} ${under})` }, word));
    });
    const story = `Unit ${this.unit} writes (i above a half) ${where(words, (t) => rows.i[t] > 0.5)}, and lets go (f below a half) `
      + `${where(words, (t) => rows.f[t] < 0.5)}. At the end its memory is ${number(rows.c.at(-1))}.`;
    this.drawing.setAttribute("viewBox", `0 0 ${width} ${under + WORDS - 8}`);
    this.drawing.setAttribute("aria-label", `Gates and memory of one unit after each of ${words.length} words. ${story}`);
    this.drawing.replaceChildren(...parts);
    this.say(story);
    this.table.fill(["word", "i", "f", "g", "o", "c", "h"], words.map((word, t) =>
      [word, ...[..."ifgoch"].map((name) => number(this.states[t][name][k]))]));
    this.#fade(width);
  }

  /** What is left of a memory of 1 over a hundred steps. */
  #fade(width) {
    const half = halfLife(this.bias), left = (n) => 0.5 ** (n / half);
    const x = (n) => (n / STEPS) * width, y = (value) => DIAL - 20 - value * (DIAL - 28);
    const path = Array.from({ length: STEPS + 1 }, (_, n) => `${n ? "L" : "M"}${x(n).toFixed(1)} ${y(left(n)).toFixed(1)}`).join("");
    const told = `A half is left after ${number(half, 1)} steps, a thousandth after ${number(half * Math.log2(1000), 0)}.`;
    this.curve.setAttribute("viewBox", `0 0 ${width} ${DIAL}`);
    this.curve.setAttribute("aria-label", `A memory of 1 over ${STEPS} steps. ${told}`);
    this.curve.replaceChildren(
      svg("line", { class: "floor", x1: 0, x2: width, y1: y(0), y2: y(0) }),
      svg("line", { class: "half", x1: 0, x2: width, y1: y(0.5), y2: y(0.5) }),
      svg("path", { class: "fading", d: path }),
      svg("text", { class: "name", x: width, y: y(0.5) - 5, "text-anchor": "end" }, "a half"),
      svg("text", { class: "name", x: 0, y: DIAL - 4 }, "0"),
      svg("text", { class: "name", x: width, y: DIAL - 4, "text-anchor": "end" }, `${STEPS} steps`));
    this.told.textContent = told;
  }

  get setting() {
    const setting = {};
    if (this.story !== FIRST) setting.story = this.story.replaceAll(" ", "-");
    if (this.unit !== this.model?.tuning.unit) setting.unit = this.unit;
    if (this.bias !== BIAS) setting.bias = this.bias;
    return setting;
  }

  set setting({ story = FIRST, unit = this.model.tuning.unit, bias = BIAS }) {
    this.tell(story);
    Object.assign(this, { unit: Math.round(unit), bias });
    this.text.set(this.story);
    this.chosen.set(this.unit);
    this.dial.set(bias);
  }
}

/** At which words something holds: few are named, many are counted. */
function where(words, holds) {
  const found = words.filter((_, t) => holds(t));
  if (!found.length) return "nowhere";
  return found.length > 3 ? `at ${found.length} of ${words.length} words` : `at ${found.map((word) => `“${word}”`).join(", ")}`;
}

Lstm.define("lstm");
