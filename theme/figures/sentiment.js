// room: 35.9rem, 35.9rem, 41.2rem
// <unrolled-sentiment>: an LSTM that rnnlib trained reads a review, here in the page, and says after
// each word how likely praise is. Beside it a bag of words (naive Bayes) says the same. The reader
// writes the review and exchanges its clauses: the bag ends where it was.

import { Figure, field, oneOf, wordsOf } from "./figure.js";
import { affine, layer, lstmStep, unpack, unroll } from "./network.js";
import { buttonRow, html, numbers, percent, svg, toggle } from "./svg.js";

const sigmoid = (z) => 1 / (1 + Math.exp(-z));

/** A function from words to P(praise) after each of them, by the LSTM. */
export function reader({ vocabulary, values, weights }) {
  const arrays = unpack(weights), step = layer(lstmStep, arrays, "rnn");
  const index = new Map(vocabulary.map((word, k) => [word, k]));
  // a word with a value has the row 0, and its value beside it
  const input = (word) => [...arrays["embedding.weight"][index.get(word) ?? 0], values[word] ?? 0];
  return (words) => unroll(step, words.map(input))
    .map(({ h }) => sigmoid(affine(arrays["output.weight"], h, arrays["output.bias"])[0]));
}

/** The same by the bag: each word counts once, a word with a value as its sign. */
export function bag({ values, bag: { prior, weights } }) {
  const name = (word) => (word in values ? (values[word] > 0 ? "+" : "-") : word);
  return (words) => words.map((_, t) => {
    const seen = new Set(words.slice(0, t + 1).map(name));
    return sigmoid([...seen].reduce((sum, feature) => sum + weights[feature], prior));
  });
}

/** The review with its clauses exchanged; null if it has no two clauses. */
export function exchanged(words) {
  const [first] = words, rest = first === "although" ? words.slice(1) : words;
  const joints = first === "although" ? [","] : ["and", "but", "although"];
  // "anything but" and "nothing but" join nothing
  const at = rest.findIndex((word, t) => t && joints.includes(word) && !/thing$/.test(rest[t - 1]));
  if (at < 1 || at === rest.length - 1) return null;
  const turned = [...rest.slice(at + 1), rest[at], ...rest.slice(0, at)];
  return first === "although" ? [first, ...turned] : turned;
}

const GUESSES = ["Praise", "Blame"];
const FIRST = "the plot was good but the music was terrible", LONGEST = 24;
const TALL = 150, TOP = 12, LEFT = 46, WORDS = 92;

class Sentiment extends Figure {
  static css = `
    .grid { stroke: var(--line); } .half { stroke: var(--edge); }
    .path { fill: none; stroke: var(--lstm); stroke-width: 2; } .dot { fill: var(--lstm); }
    .bag { fill: none; stroke: var(--input); stroke-width: 2; stroke-dasharray: 5 4; } .square { fill: var(--input); }
    .side { font-size: 12px; fill: var(--muted); }
    .word { font-size: 12px; text-anchor: end; }
    .keys { display: flex; flex-wrap: wrap; gap: 0 1.2rem; font-size: 0.88rem; color: var(--muted); margin: 0; }
    .keys b { font-weight: 600; } .keys .one { color: var(--lstm); } .keys .two { color: var(--input); }
    .known { font-size: 0.88rem; color: var(--muted); }
    .status { min-height: 2.9em; }
    @container (max-width: 420px) { .status { min-height: 5.8em; } }`;
  static weights = "sentiment.json";
  static address = { review: (text) => text, guess: oneOf("on") };
  review = FIRST.split(" ");
  guess = { on: false, made: null };

  build() {
    this.text = field({ label: "A review; write your own", value: FIRST, onInput: (text) => {
      if (!this.model) return;
      this.tell(text);
      this.update();
    } });
    this.swap = html("button", { type: "button", onclick: () => {
      const turned = exchanged(this.review);
      if (!turned) return;
      this.read(turned);
      this.text.set(this.written);
      this.update();
    } }, "Exchange the two clauses");
    this.guessing = toggle({ label: "Guess first", onChange: (on) => {
      this.guess = { on, made: null };
      this.update();
    } });
    this.guesses = buttonRow("At the end the LSTM says", GUESSES.map((label) => ({
      label, pressed: false, onClick: () => { this.guess.made = label; this.update(); },
    })));
    this.guesses.element.style.visibility = "hidden";
    this.drawing = svg("svg", { role: "img", height: TOP + TALL + WORDS, "aria-label": "Praise after each word" });
    this.table = numbers("All numbers");
    this.known = html("p", { class: "known" });
    return [
      ...this.text.elements, html("div", { class: "buttons" }, this.swap, this.guessing.element, this.guesses.element),
      html("p", { class: "keys" }, html("span", {}, html("b", { class: "one" }, "— "), "LSTM, reads"),
        html("span", {}, html("b", { class: "two" }, "- - "), "bag of words, counts")),
      this.drawing, this.status, this.table.element,
      html("details", {}, html("summary", {}, "The words that both know"), this.known),
    ];
  }

  loaded(model) {
    this.model = model;
    [this.lstm, this.counts] = [reader(model), bag(model)];
    const words = [...model.vocabulary.filter((word) => /^[a-z]+$/.test(word)), ...Object.keys(model.values)];
    this.index = new Map([...words, "comma"].map((word) => [word, word]));
    this.known.textContent = `${words.sort().join(", ")}.`;
    this.read(this.review);
  }

  get written() { return this.review.join(" ").replaceAll(" ,", ","); }

  tell(text) {
    const words = wordsOf(text.replaceAll(",", " comma "), this.index, LONGEST, "review");
    this.read(words.map((word) => (word === "comma" ? "," : word)));
  }

  read(words) {
    const ended = [...words, "."];
    this.review = words;
    [this.p, this.q] = [this.lstm(ended), this.counts(ended)];
    this.guess.made = null;
  }

  get secret() { return this.guess.on && !this.guess.made; }

  get outcome() { return GUESSES[this.p.at(-1) > 0.5 ? 0 : 1]; }

  render(width) {
    const words = [...this.review, "."], step = (width - LEFT) / words.length;
    const x = (t) => LEFT + (t + 0.5) * step, y = (p) => TOP + (1 - p) * TALL;
    const line = (values) => values.map((p, t) => `${t ? "L" : "M"}${x(t).toFixed(1)} ${y(p).toFixed(1)}`).join("");
    const parts = [["praise", 1, "grid"], ["", 0.5, "half"], ["blame", 0, "grid"]].flatMap(([name, p, kind]) => [
      svg("line", { class: kind, x1: LEFT, x2: width, y1: y(p), y2: y(p) }),
      svg("text", { class: "side", x: 0, y: y(p) + 4 }, name)]);
    if (!this.secret) {
      parts.push(svg("path", { class: "bag", d: line(this.q) }), svg("path", { class: "path", d: line(this.p) }));
      this.q.forEach((p, t) => parts.push(svg("rect", { class: "square", x: x(t) - 2.5, y: y(p) - 2.5, width: 5, height: 5 })));
      this.p.forEach((p, t) => parts.push(svg("circle", { class: "dot", cx: x(t), cy: y(p), r: 4 })));
    }
    const under = TOP + TALL + 14;
    words.forEach((word, t) => parts.push(svg("text", { class: "word", x: x(t) + 4, y: under,
      transform: `rotate(-90 ${x(t) + 4} ${under})` }, word)));

    const moved = this.p.map((p, t) => (t ? Math.abs(p - this.p[t - 1]) : Math.abs(p - 0.5)));
    const at = moved.indexOf(Math.max(...moved)), says = (p) => `${p > 0.5 ? "praise" : "blame"} (${percent(p)} for praise)`;
    const right = this.guess.made ? (this.guess.made === this.outcome ? "Right. " : "Not so. ") : "";
    const story = this.secret ? "Does the LSTM end at praise or at blame?"
      : `${right}The LSTM ends at ${says(this.p.at(-1))}, the bag of words at ${says(this.q.at(-1))}. `
        + `The LSTM's answer moves most at “${words[at]}”.`;
    const known = (p) => (this.secret ? "–" : percent(p));
    this.guessing.set(this.guess.on);
    this.guesses.element.style.visibility = this.guess.on ? "visible" : "hidden";
    this.guesses.set(GUESSES.indexOf(this.guess.made));
    this.swap.setAttribute("aria-disabled", !exchanged(this.review));
    this.drawing.setAttribute("viewBox", `0 0 ${width} ${TOP + TALL + WORDS}`);
    this.drawing.setAttribute("aria-label", `The probability of praise after each of ${words.length} words${this.secret ? ", hidden until you guess" : ""}. ${story}`);
    this.drawing.replaceChildren(...parts);
    this.say(story);
    this.table.fill(["word", "LSTM", "bag"], words.map((word, t) => [word, known(this.p[t]), known(this.q[t])]));
  }

  get setting() {
    const review = this.review.map((word) => (word === "," ? "comma" : word)).join("-");
    return { ...(review === FIRST.replaceAll(" ", "-") ? {} : { review }), ...(this.guess.on ? { guess: "on" } : {}) };
  }

  set setting({ review = FIRST, guess }) {
    this.guess.on = guess === "on";
    this.tell(review.replaceAll("-", " "));
    this.text.set(this.written);
  }
}

Sentiment.define("sentiment");
