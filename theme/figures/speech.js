// room: 43.3rem, 49.5rem, 57.7rem
// <unrolled-speech>: the lattice of a short text over six frames. The reader moves probability at one
// frame, and sees which ways through the lattice carry the total, and how ways that meet add up.

import { Figure, oneOf, player, within } from "./figure.js";
import { buttonRow, html, number, numbers, slider, svg } from "./svg.js";

const LETTERS = "-one", T = 6, K = LETTERS.length, TEXTS = ["on", "one", "ee"];
// per cent, of the blank, o, n and e at each frame
const START = [[40, 50, 5, 5], [20, 60, 15, 5], [50, 20, 25, 5], [15, 5, 70, 10], [35, 5, 30, 30], [50, 5, 5, 40]];
const named = (k) => (k ? LETTERS[k] : "blank");
const sum = (values) => values.reduce((a, b) => a + b, 0);

/** z, the states of a text: its labels with blanks before, between and behind them. */
const states = (labels) => [0, ...labels.flatMap((k) => [k, 0])];

/** From which states each one is entered, itself first. */
const moves = (z) => z.map((k, n) => [n, n - 1, n - 2].filter((m, i) => m >= 0 && (i < 2 || (k !== 0 && k !== z[m]))));

/** α (T, N): all ways that lead to a state, its own frame included; with the largest in place of the sum, the likeliest one. */
function ways(y, z, together = sum) {
  const from = moves(z), alpha = [z.map((k, n) => (n < 2 ? y[0][k] : 0))];
  for (const y_t of y.slice(1)) alpha.push(z.map((k, n) => y_t[k] * together(from[n].map((m) => alpha.at(-1)[m]))));
  return alpha;
}

/** The likeliest path that says the labels: a state for each frame. */
function likeliest(y, z) {
  const from = moves(z), last = [z.length - 1, z.length - 2], path = [];
  const best = (row, choices) => choices.reduce((a, b) => (row[b] > row[a] ? b : a));
  for (const row of ways(y, z, (values) => Math.max(...values)).reverse()) path.unshift(best(row, path.length ? from[path[0]] : last));
  return path;
}
const ends = (alpha) => sum(alpha.at(-1).slice(-2));

/**
 * Of y (T, K) and labels (U,): α and β (T, N), the probability p of the labels, the share of it that
 * goes through each state and along each line [t, from, to, share], how many paths say them, and the
 * likeliest of these, as states.
 */
export function compute({ y, labels }) {
  const z = states(labels), alpha = ways(y, z);
  const beta = ways([...y].reverse(), [...z].reverse()).reverse().map((row) => [...row].reverse());
  const p = ends(alpha), of = (value) => (p > 0 ? value / p : 0);
  const share = alpha.map((row, t) => row.map((a, n) => of(y[t][z[n]] > 0 ? (a * beta[t][n]) / y[t][z[n]] : 0)));
  const lines = y.slice(1).flatMap((_, t) => moves(z).flatMap((from, to) =>
    from.map((m) => [t, m, to, of(alpha[t][m] * beta[t + 1][to])])));
  return { z, alpha, beta, p, share, lines, paths: ends(ways(y.map((row) => row.map(() => 1)), z)), path: likeliest(y, z) };
}

class Speech extends Figure {
  static css = `
    .line { stroke: var(--state); stroke-linecap: round; }
    .bare { stroke: var(--line); stroke-width: 1; }
    .node { fill: var(--state-wash); stroke: var(--state); cursor: pointer; }
    .node.bare { fill: transparent; stroke: var(--line); }
    .now { fill: var(--shade); }
    .value, .name, .frame { text-anchor: middle; pointer-events: none; font-variant-numeric: tabular-nums; }
    .value { font-size: 11px; }
    .row { font-weight: 600; }
    .box { stroke: var(--edge); fill: transparent; cursor: pointer; }
    .full { fill: var(--input); pointer-events: none; }
    .frame { fill: var(--muted); font-size: 12px; }
    .controls { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: 0.5rem 1.25rem; margin: 0.75rem 0; }
    .status { min-height: 2.9em; }
    @container (max-width: 560px) { .status { min-height: 5.9em; } }
    @container (max-width: 360px) { .status { min-height: 7.3em; } }`;
  static address = {
    text: oneOf(...TEXTS), frame: within(1, T), t: within(0, T),
    y: (text) => {
      const rows = text.split("_").map((row) => row.split("-").map(Number));
      const fits = rows.length === T && rows.every((row) => row.length === K && row.every((value) => value >= 0) && sum(row) > 0);
      if (!fits) throw new RangeError(`y is “${text}”, but must be ${T} times ${K} numbers`);
      return text;
    },
  };
  text = "on";
  frame = 4;
  t = T;
  y = START.map((row) => [...row]);

  build() {
    this.drawing = svg("svg", { role: "img" });
    this.texts = buttonRow("Text", TEXTS.map((text) => ({
      label: `“${text}”`, pressed: text === this.text, onClick: () => { this.text = text; this.update(); },
    })));
    this.player = player({ T, t: this.t, label: "Read the frames", pace: 800, onMove: (t) => { this.t = t; this.update(); } });
    this.which = slider({ label: "frame to change", min: 1, max: T, step: 1, value: this.frame, format: String,
      onInput: (frame) => { this.frame = frame; this.show(); this.update(); } });
    this.sliders = [...LETTERS].map((_, k) => slider({ label: `probability of ${named(k)}`, min: 0, max: 100, step: 5, value: 0,
      format: (value) => number(value / 100), onInput: (value) => this.move(k, value) }));
    this.table = numbers("All numbers");
    this.show();
    return [this.texts.element, this.drawing, this.player.element,
      html("div", { class: "controls" }, this.which.element, this.sliders.map(({ element }) => element)),
      this.status, this.table.element];
  }

  /** One class of the chosen frame gets this much, and the others share the rest as they did before. */
  move(k, value) {
    const row = this.y[this.frame - 1], rest = sum(row) - row[k];
    this.y[this.frame - 1] = row.map((old, j) => (j === k ? value : rest > 0 ? (old * (100 - value)) / rest : (100 - value) / (K - 1)));
    this.sliders.forEach((control, j) => j !== k && control.set(this.y[this.frame - 1][j]));
    this.update();
  }

  choose(frame) {
    this.frame = frame;
    this.which.set(frame);
    this.show();
    this.update();
  }

  show() {
    this.sliders.forEach((control, k) => control.set(this.y[this.frame - 1][k]));
  }

  render(width) {
    this.texts.set(TEXTS.indexOf(this.text));
    const y = this.y.map((row) => row.map((value) => value / 100));
    const found = compute({ y, labels: [...this.text].map((letter) => LETTERS.indexOf(letter)) });
    const { z, alpha, share, lines, p, paths } = found, all = this.t === T;
    const left = 30, step = (width - left) / T, room = 266, tall = room / z.length;
    const r = Math.min(15, step / 2 - 3), top = 20, below = top + room + 8, small = 16;
    const x = (t) => left + step * (t + 0.5), at = (n) => top + tall * (n + 0.5);
    const parts = [svg("rect", { class: "now", x: left + step * (this.frame - 1), y: 0, width: step, height: below + small * K + 4, rx: 6 })];
    for (let t = 0; t < T; t++) parts.push(svg("text", { class: "frame", x: x(t), y: 13 }, t + 1));
    for (const [t, from, to, part] of lines) {
      const seen = all && part > 0.002;
      parts.push(svg("line", { class: seen ? "line" : "bare", "stroke-width": seen ? 0.6 + 9 * part : 1, "stroke-opacity": seen ? 0.45 : 1,
        x1: x(t) + r, y1: at(from), x2: x(t + 1) - r, y2: at(to) }));
    }
    const press = (part, t) => { part.addEventListener("click", () => this.choose(t + 1)); return part; };
    z.forEach((k, n) => {
      parts.push(svg("text", { class: "name row", x: 12, y: at(n) + 5 }, LETTERS[k]));
      alpha.forEach((row, t) => {
        const read = t < this.t;
        const opacity = all ? 0.15 + 0.85 * share[t][n] : 0.5;
        parts.push(press(svg("circle", { class: read && row[n] > 0 ? "node" : "node bare", cx: x(t), cy: at(n), r, "fill-opacity": opacity }), t));
        if (read && row[n] > 0) parts.push(svg("text", { class: "value", x: x(t), y: at(n) + 4 }, number(row[n], row[n] < 0.00995 ? 3 : 2).replace(/^0/, "")));
      });
    });
    y.forEach((row, t) => row.forEach((value, k) => {
      if (!t) parts.push(svg("text", { class: "name", x: 12, y: below + small * k + 12 }, LETTERS[k]));
      const box = { y: below + small * k + 2, height: small - 4 };
      parts.push(press(svg("rect", { class: "box", x: x(t) - step / 2 + 4, width: step - 8, ...box }), t),
        svg("rect", { class: "full", x: x(t) - step / 2 + 4, width: (step - 8) * value, ...box }));
    }));
    this.drawing.setAttribute("viewBox", `0 0 ${width} ${below + small * K + 4}`);
    this.drawing.replaceChildren(...parts);
    const total = `“${this.text}” has ${number(p, 3)} of all probability, the sum of ${paths.toLocaleString("en")} paths of ${(K ** T).toLocaleString("en")}`;
    const dash = "\u2011"; // as "-", and no line ends behind it
    const said = found.path.map((n) => (z[n] ? LETTERS[z[n]] : dash)).join(""), once = said.replace(/(.)\1+/g, "$1");
    const likely = `The likeliest of them is ${said}: without repeats ${once}, without blanks ${once.replaceAll(dash, "")}.`;
    const apart = /(.)\1/.test(this.text) ? ` The blank keeps the two ${this.text[0]} apart.` : "";
    const story = all ? (p > 0 ? `${total}. ${likely}${apart}` : `Every path that says “${this.text}” has probability 0.`)
      : this.t ? `After frame ${this.t}: each number is the sum of all ways that lead there. What will the last two states hold together? Guess, then read on.`
        : "Nothing is read yet. A path begins in one of the first two states.";
    this.drawing.setAttribute("aria-label", `The lattice of “${this.text}”, ${z.length} states over ${T} frames, and the probabilities of ${[...LETTERS].map((_, k) => named(k)).join(", ")} at each frame. ${story}`);
    this.say(story);
    this.table.fill(["frame", ...z.map((k, n) => `α ${n + 1} (${LETTERS[k]})`), ...[...LETTERS].map((_, k) => named(k))],
      alpha.map((row, t) => [t + 1, ...row.map((a) => (t < this.t ? number(a, 4) : "–")), ...y[t].map((value) => number(value))]));
  }

  get setting() {
    const y = (rows) => rows.map((row) => row.map((value) => Math.round(value)).join("-")).join("_");
    const now = { text: this.text, frame: this.frame, t: this.t, y: y(this.y) };
    const first = { text: "on", frame: 4, t: T, y: y(START) };
    return Object.fromEntries(Object.entries(now).filter(([name, value]) => value !== first[name]));
  }

  set setting({ text = "on", frame = 4, t = T, y }) {
    Object.assign(this, { text, frame: Math.round(frame), t: Math.round(t) });
    this.y = (y ? y.split("_").map((row) => row.split("-").map(Number)) : START)
      .map((row) => row.map((value) => (100 * value) / sum(row)));
    this.player.set(this.t);
    this.which.set(this.frame);
    this.show();
  }
}

Speech.define("speech");
