// room: 33.3rem, 37.7rem, 41.2rem
// <unrolled-inside>: the network that has read NumPy's manual reads a line. The reader walks to a
// character and sees which of the earlier ones mattered for its probability: by gradient times
// input, or by running the network again without each of them.

import { escaped, field, Figure, oneOf, unescaped, within } from "./figure.js";
import { affine, layer, lstmStep, softmax, unpack } from "./network.js";
import { choice, html, number, numbers, percent, slider, toggle } from "./svg.js";

const bitsOf = (p) => Math.log2(Math.max(p, Number.MIN_VALUE));
const times = (W, dz) => W[0].map((_, j) => W.reduce((sum, row, i) => sum + row[j] * dz[i], 0)); // W' dz

/**
 * What mattered: a function of the codes of a text (the sign of a beginning first) and of `t`, to
 * the probability p of code t after those before it, and in bits of log2 p two numbers for each
 * of these: `gradient()` (times input) and `removal()`.
 */
export function asker(weights) {
  const { "embedding.weight": E, "linear.weight": W_y, "linear.bias": c } = weights;
  const [W_x, W_h] = ["weight_ih", "weight_hh"].map((part) => weights[`rnn.${part}_l0`]);
  const step = layer(lstmStep, weights, "rnn"), H = W_h[0].length;
  const after = (codes, state) => codes.reduce((now, code) => step(E[code], now), state);
  const probabilities = (state) => softmax(affine(W_y, state.h, c));

  return (codes, t) => {
    const before = codes.slice(0, t), wanted = codes[t], states = [];
    before.forEach((code, i) => states.push(step(E[code], states[i - 1])));
    const p = probabilities(states.at(-1));

    /** Backwards through time from log2 p. */
    function gradient() {
      let dh = times(W_y, p.map((share, k) => (Number(k === wanted) - share) / Math.LN2));
      let dc = new Array(H).fill(0);
      const sums = [];
      for (let n = t - 1; n >= 0; n--) {
        const { i, f, g, o, c: c_t } = states[n], c_prev = states[n - 1]?.c;
        const dz = new Array(4 * H);
        for (let k = 0; k < H; k++) {
          const shown = Math.tanh(c_t[k]), dck = dc[k] + dh[k] * o[k] * (1 - shown ** 2);
          dz[k] = dck * g[k] * i[k] * (1 - i[k]);
          dz[H + k] = dck * (c_prev?.[k] ?? 0) * f[k] * (1 - f[k]);
          dz[2 * H + k] = dck * i[k] * (1 - g[k] ** 2);
          dz[3 * H + k] = dh[k] * shown * o[k] * (1 - o[k]);
          dc[k] = dck * f[k];
        }
        const dx = times(W_x, dz);
        sums[n] = E[before[n]].reduce((sum, value, j) => sum + value * dx[j], 0);
        dh = times(W_h, dz);
      }
      return sums;
    }

    /** Once more without each of them; what stands before it need not be read again. */
    function removal() {
      const bits = bitsOf(p[wanted]);
      return before.map((_, n) => {
        if (t === 1) return 0; // nothing would be left to read
        return bits - bitsOf(probabilities(after(before.slice(n + 1), states[n - 1]))[wanted]);
      });
    }
    return { p: p[wanted], gradient, removal };
  };
}

const FIRST = "Return the sum of (a, b) over the axis.", LONGEST = 48;
const WAYS = [["gradient", "gradient times input"], ["removal", "removal"]];
const named = (character) => (character === " " ? "the space" : `“${character}”`);
const signed = (value) => (value > 0 ? "+" : "") + number(value, 1);

class Inside extends Figure {
  static css = `
    .card { display: grid; gap: 0.8rem; grid-template-columns: minmax(0, 1fr); }
    .line { min-height: 3.5rem; padding: 0.6rem 0.7rem; border: 1px solid var(--edge); border-radius: 6px;
      font-family: monospace; font-size: 1.15rem; line-height: 1.9; overflow-wrap: anywhere; cursor: pointer; }
    .line span { display: inline-block; min-width: 0.6em; padding: 0.1em 0.02em; white-space: pre; border-bottom: 2px solid transparent; }
    .line .later { color: var(--muted); }
    .line .now { border-bottom-color: var(--ink); font-weight: 700; }
    .field input { font-family: monospace; }
    .wrong { min-height: 1.45em; }
    .status { min-height: 4.35em; }
    @container (max-width: 560px) { .wrong { min-height: 2.9em; } .line { min-height: 5.7rem; } .status { min-height: 5.8em; } }
    @container (max-width: 400px) { .status { min-height: 7.25em; } .line { min-height: 7.9rem; } }
  `;
  static weights = "text.json"; // those of chapter 04's figure
  static heavy = true;
  static address = { line: (text) => unescaped(text), at: within(1, LONGEST), by: oneOf("removal"), guess: oneOf("on") };

  line = FIRST;
  at = FIRST.indexOf(")") + 1; // the first character of the line is 1
  by = "gradient";
  guess = { on: false, made: null };
  #resting = null;

  build() {
    this.text = field({ label: "A line; write your own", value: FIRST, onInput: (line) => {
      if (!this.ask) return;
      this.read(line, Math.min(this.at, line.length));
      this.update();
    } });
    const place = (event) => Number(event.target.dataset?.place);
    this.shownLine = html("div", { class: "line", role: "img", "aria-label": "The line",
      onpointerover: (event) => {
        clearTimeout(this.#resting); // a pointer that only passes asks nothing
        const at = place(event);
        if (event.pointerType === "mouse" && !this.guess.on && at) this.#resting = setTimeout(() => this.go(at), 80);
      },
      onpointerleave: () => clearTimeout(this.#resting),
      onclick: (event) => place(event) && this.pressed(place(event)) }, [...FIRST].map((character) => html("span", {}, character)));
    this.walk = slider({ label: "Character", min: 1, max: FIRST.length, step: 1, value: this.at,
      format: (value) => `${value}: ${this.line[value - 1] ?? ""}`, onInput: (at) => this.go(at) });
    this.way = choice({ legend: "What mattered, by", options: WAYS, value: this.by,
      onChange: (by) => { this.by = by; this.update(); } });
    this.guessing = toggle({ label: "Guess first", onChange: (on) => {
      this.guess = { on, made: null };
      this.update();
    } });
    this.reveal = html("button", { type: "button", style: "visibility: hidden", onclick: () => {
      this.guess.made ??= 0;
      this.update();
    } }, "Show the colours");
    this.table = numbers("All numbers");
    return [...this.text.elements, this.shownLine, this.walk.element,
      this.way.element,
      html("div", { class: "buttons" }, this.guessing.element, this.reveal), this.status, this.table.element];
  }

  loaded({ characters, weights }) {
    this.index = new Map([...characters].map((character, i) => [character, i]));
    this.ask = asker(unpack(weights));
    this.read(this.line, this.at);
  }

  read(line, at) {
    const unknown = [...line].find((character) => !this.index.has(character));
    if (unknown) throw new RangeError(`the network does not know “${unknown}”`);
    if (!line.length) throw new RangeError("a line has at least one character");
    if (line.length > LONGEST) throw new RangeError(`the line has ${line.length} characters, but may have at most ${LONGEST}`);
    Object.assign(this, { line, known: {}, codes: [0, ...[...line].map((character) => this.index.get(character))] });
    this.walk.input.max = line.length;
    this.walk.input.min = Math.min(1, line.length);
    this.at = 0;
    this.stand(Math.min(Math.max(at, 1), line.length));
  }

  /** Stand on another character; what was asked here once is kept. */
  stand(at) {
    if (at === this.at) return;
    this.at = at;
    this.guess.made = null;
    this.known[at] ??= { now: this.ask(this.codes, at) };
    this.walk.set(at);
  }

  go(at) {
    if (!this.ask || at === this.at) return;
    this.stand(at);
    this.update();
  }

  /** While one guesses, an earlier character is the guess; else one goes to the one that is pressed. */
  pressed(at) {
    if (!this.ask) return;
    if (this.guess.on && this.guess.made === null && at < this.at) {
      this.guess.made = at;
      this.update();
    } else this.go(at);
  }

  /** What each earlier character of the line gave, by the way that is chosen. */
  get given() {
    const known = this.known[this.at];
    known[this.by] ??= known.now[this.by]().slice(1); // without the sign of a beginning
    return known[this.by];
  }

  render() {
    const secret = this.guess.on && this.guess.made === null, given = secret ? [] : this.given;
    const most = Math.max(0.5, ...given.map(Math.abs));
    this.shownLine.replaceChildren(...[...this.line].map((character, i) => {
      const place = i + 1, value = given[i] ?? 0, share = Math.round(50 * Math.abs(value) / most);
      const style = share ? `background: color-mix(in srgb, var(${value > 0 ? "--lstm" : "--state"}) ${share}%, transparent)` : null;
      return html("span", { "data-place": place, style, class: place === this.at ? "now" : place > this.at ? "later" : null }, character);
    }));
    this.walk.set(this.at);
    this.way.set(this.by);
    this.guessing.set(this.guess.on);
    this.reveal.style.visibility = this.guess.on ? "visible" : "hidden";
    this.reveal.setAttribute("aria-disabled", !secret);

    const chosen = `${named(this.line[this.at - 1])} had ${percent(this.known[this.at].now.p)}.`;
    const tell = (i) => `${named(this.line[i])} at ${i + 1} (${signed(given[i])} bits)`;
    const order = given.map((_, i) => i).sort((a, b) => Math.abs(given[b]) - Math.abs(given[a]));
    const place = order.indexOf(this.guess.made - 1) + 1;
    const guessed = this.guess.made > 0 ? `You guessed ${named(this.line[this.guess.made - 1])}: number ${place} of ${given.length}. ` : "";
    const rest = order.length > 1 ? `${tell(order[0])}, then ${tell(order[1])}` : order.length ? tell(0) : "nothing: no character stands before it";
    const story = secret ? `${chosen} Which earlier character mattered most? Press it, or show the colours.`
      : `${guessed}${chosen} By ${WAYS.find(([key]) => key === this.by)[1]} what mattered most is ${rest}.`;
    this.shownLine.setAttribute("aria-label", `The line “${this.line}”, at character ${this.at}. ${story}`);
    this.say(story);
    this.table.fill(["character", "place", "bits"], secret ? [] : given.map((value, i) => [named(this.line[i]), i + 1, signed(value)]));
  }

  get setting() {
    const setting = {};
    if (this.line !== FIRST) setting.line = escaped(this.line);
    if (this.line !== FIRST || this.at !== FIRST.indexOf(")") + 1) setting.at = this.at;
    if (this.by === "removal") setting.by = "removal";
    if (this.guess.on) setting.guess = "on";
    return setting;
  }

  set setting({ line = FIRST, at = FIRST.indexOf(")") + 1, by = "gradient", guess }) {
    this.by = by;
    this.guess = { on: guess === "on", made: null };
    this.read(line, Math.round(at));
    this.text.set(line);
  }
}

Inside.define("inside");
