// room: 42.7rem, 42.7rem, 50.8rem
// <unrolled-limits>: the steps of h_t = a_t h_{t-1} + b_t as a row of circles, and the tree in which
// neighbours are merged until every state is known. The reader merges one pair, or a whole round.

import { Figure, within } from "./figure.js";
import { buttonRow, html, number, numbers, slider, svg } from "./svg.js";

const MOST = 16, ROW = 27, TOP = 34;
const A = [0.5, 0.9, -0.5, 1, 0.2, 0.8, -1, 0.6, 0.9, 0.3, 1, -0.7, 0.5, 0.8, -0.2, 1];
const B = [1, -0.5, 0.8, 0.3, -1, 0.6, 0.2, -0.4, 0.7, 1, -0.8, 0.5, 0.1, -0.6, 0.9, 0.4];
const GUESSES = ["as many", "two more", "twice as many"], RIGHT = 1;

/**
 * What is merged in each round for T steps: nodes { from, to, left, right }, which stand for the steps
 * from … to, counted from 0, as one. A node with `from` 0 gives the state after its last step.
 */
export function tree(T) {
  const rounds = [];
  function solve(nodes) {
    if (nodes.length < 2) return nodes;
    const join = (left, right) => ({ from: left.from, to: right.to, left, right, round: rounds.length + 1 });
    const pairs = [], known = [nodes[0]], between = [];
    for (let i = 1; i < nodes.length; i += 2) pairs.push(join(nodes[i - 1], nodes[i]));
    rounds.push(pairs);
    solve(pairs).forEach((node, i) => { known[2 * i + 1] = node; });
    for (let i = 2; i < nodes.length; i += 2) between.push(known[i] = join(known[i - 1], nodes[i]));
    if (between.length) rounds.push(between);
    return known;
  }
  const leaves = Array.from({ length: T }, (_, t) => ({ from: t, to: t, round: 0 }));
  return { leaves, rounds, known: solve(leaves) };
}

/** The states from h_0 = 0, by merging, and how many pairs each round has merged. */
export function compute({ a, b }) {
  const { rounds, known } = tree(a.length);
  const as = (node) => {
    if (!node.left) return [a[node.to], b[node.to]];
    const [a1, b1] = as(node.left), [a2, b2] = as(node.right);
    return [a2 * a1, a2 * b1 + b2];
  };
  return { h: known.map((node) => as(node)[1]), rounds: rounds.map((round) => round.length) };
}

class Limits extends Figure {
  static css = `
    .wire { stroke: var(--edge); fill: none; }
    .part { fill: var(--input-wash); stroke: var(--input); }
    .known { fill: var(--state); stroke: var(--state); }
    .waiting { fill: var(--paper); stroke: var(--ink); stroke-dasharray: 3 2; cursor: pointer; }
    .step, .told { font-variant-numeric: tabular-nums; }
    .step { text-anchor: middle; fill: var(--muted); font-size: 12px; }
    .loop { fill: var(--baseline); }
    .depth { fill: var(--state); }
    .rest { fill: var(--shade); }
    .buttons, .slider { margin-top: 0.75rem; }
    .asked { font-size: 0.88rem; margin: 0.75rem 0 0; }
    .asked + .buttons { margin-top: 0.35rem; }
    .status { min-height: 4.4em; margin-top: 0.5rem; }
    @container (max-width: 420px) { .status { min-height: 5.8em; } }`;
  static address = { T: within(2, MOST), guess: within(0, GUESSES.length - 1) };
  T = 8;
  round = 0; // how many are done
  merged = new Set(); // of the round that is under way
  guess = -1;

  build() {
    this.drawing = svg("svg", { role: "img" });
    this.steps = slider({
      label: "steps T", min: 2, max: MOST, step: 1, value: this.T, format: String,
      onInput: (value) => { this.T = value; this.#reset(); this.update(); },
    });
    this.asked = buttonRow("Rounds for twice as many steps", GUESSES.map((label, i) => ({
      label, pressed: false, onClick: () => { this.guess = i; this.asked.set(i); this.update(); },
    })));
    this.merge = buttonRow("Merge", [
      { label: "Merge one pair", onClick: () => this.#merge(this.#next()) },
      { label: "Merge the round", onClick: () => this.#go(this.round + 1) },
      { label: "Back", onClick: () => this.#go(this.merged.size ? this.round : this.round - 1) },
      { label: "Reset", onClick: () => this.#go(0) },
    ]);
    this.table = numbers("All numbers");
    this.depths = numbers("Depth against length");
    this.depths.fill(["steps T", "loop", "tree"],
      Array.from({ length: 10 }, (_, k) => 2 ** (k + 1)).map((T) => [T, T, tree(T).rounds.length]));
    return [this.drawing, this.merge.element, this.steps.element, html("p", { class: "asked" }, "Guess: for twice as many steps the tree needs … rounds"),
      this.asked.element, this.status, this.table.element, this.depths.element];
  }

  #reset() {
    this.round = 0;
    this.merged.clear();
  }

  #go(round) {
    this.merged.clear();
    this.round = Math.min(Math.max(round, 0), tree(this.T).rounds.length);
    this.update();
  }

  #next() { return tree(this.T).rounds[this.round]?.findIndex((_, i) => !this.merged.has(i)); }

  #merge(i) {
    if (i === undefined) return;
    this.merged.add(i);
    if (this.merged.size === tree(this.T).rounds[this.round].length) this.#go(this.round + 1);
    else this.update();
  }

  render(width) {
    const { leaves, rounds, known } = tree(this.T), R = rounds.length, over = this.round === R;
    const column = width / this.T, radius = Math.min(9, column * 0.4);
    const x = (node) => column * (node.to + 0.5), y = (node) => TOP + ROW * node.round;
    const circle = (node, kind) => svg("circle", { class: kind, cx: x(node), cy: y(node), r: radius });
    const looks = (node) => (node.from === 0 ? "known" : "part");
    const done = [leaves, ...rounds.slice(0, this.round)].flat(), now = rounds[this.round] ?? [];
    done.push(...now.filter((_, i) => this.merged.has(i)));
    const open = now.map((node, i) => [node, i]).filter(([, i]) => !this.merged.has(i));
    const wires = done.concat(open.map(([node]) => node)).filter((node) => node.left).flatMap((node) =>
      [node.left, node.right].map((below) => svg("path", { class: "wire", d: `M${x(below)} ${y(below)}L${x(node)} ${y(node)}` })));
    const waiting = open.map(([node, i]) => {
      const mark = circle(node, "waiting");
      mark.addEventListener("click", () => this.#merge(i));
      return mark;
    });
    const bottom = TOP + ROW * 8, scale = (width - 1) / MOST;
    const bar = (kind, top, length, rest, text) => [
      svg("rect", { class: "rest", x: 0, y: top, width: scale * rest, height: 10, rx: 3 }),
      svg("rect", { class: kind, x: 0, y: top, width: scale * length, height: 10, rx: 3 }),
      svg("text", { class: "told", x: 0, y: top - 5 }, text)];
    this.drawing.setAttribute("viewBox", `0 0 ${width} ${bottom + 62}`);
    this.drawing.replaceChildren(
      ...leaves.map((leaf) => svg("text", { class: "step", x: x(leaf), y: 14 }, leaf.to + 1)),
      ...wires, ...done.map((node) => circle(node, looks(node))), ...waiting,
      ...bar("loop", bottom + 8, this.T, this.T, `the loop waits ${this.T} times`),
      ...bar("depth", bottom + 46, this.round, R, `the tree: ${this.round} of ${R} rounds`));
    const states = known.filter((node) => done.includes(node)).map((node) => node.to + 1);
    const story = this.#story(R, states, open.length, over);
    this.drawing.setAttribute("aria-label", `${this.T} steps side by side, and the pairs that are merged below them. ${story}`);
    this.say(story);
    const [one, round, back] = this.merge.buttons;
    for (const button of [one, round]) button.setAttribute("aria-disabled", over);
    back.setAttribute("aria-disabled", this.round === 0 && !this.merged.size);
    const { h } = compute({ a: A.slice(0, this.T), b: B.slice(0, this.T) });
    this.table.fill(["t", "a", "b", "h"], h.map((value, t) =>
      [t + 1, number(A[t], 1), number(B[t], 1), states.includes(t + 1) ? number(value) : "–"]));
  }

  #story(R, states, open, over) {
    if (over) {
      const more = tree(2 * this.T).rounds.length;
      const verdict = this.guess < 0 ? "" : this.guess === RIGHT ? " Your guess was right." : ` You guessed ${GUESSES[this.guess]}.`;
      return `All ${this.T} states are known after ${R} ${R === 1 ? "round" : "rounds"}; the loop waits ${this.T} times. Twice as many steps, ${2 * this.T}, need ${more} rounds: two more.${verdict}`;
    }
    const known = states.length === 1 ? "only the state h1 is known" : `${states.length} of ${this.T} states are known`;
    const pairs = open === 1 ? "1 pair is" : `${open} pairs, which do not wait for each other, are`;
    return `${this.round || this.merged.size ? "" : "Guess first, then merge. "}So far ${known}. ${pairs} left in round ${this.round + 1}.`;
  }

  get setting() {
    return { ...(this.T === 8 ? {} : { T: this.T }), ...(this.guess < 0 ? {} : { guess: this.guess }) };
  }

  set setting({ T = 8, guess = -1 }) {
    this.T = Math.round(T);
    this.guess = Math.round(guess);
    this.steps.set(this.T);
    this.asked.set(this.guess);
    this.#reset();
  }
}

Limits.define("limits");
