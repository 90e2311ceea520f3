// room: 51.9rem, 55.7rem, 61rem
// <unrolled-text>: a network that rnnlib trained writes NumPy's manual, one character after another.
// The reader types a beginning, sees what could come next, and has it drawn, at any temperature.

import { escaped, field, Figure, oneOf, unescaped, within } from "./figure.js";
import { drawn, lstmStep, softmax, tempered, unpack, writer } from "./network.js";
import { bars, html, number, percent, put, slider, toggle } from "./svg.js";

/** The network: a function of a character's index and the state before, to the state and the scores. */
export const reader = (weights) => writer(lstmStep, weights);

const FIRST = "Return the ", WARMTH = 0.7, ROWS = 9, LONGEST = 60, MOST = 600, LINE = 80;
const END = "\0";
const shown = (character) => ({ " ": "space", "\n": "new line", [END]: "the end" }[character] ?? character);
const bitsOf = (share) => -Math.log2(share);

const CSS = `
.card { display: grid; gap: 0.8rem; grid-template-columns: minmax(0, 1fr); }
.field input { font-family: monospace; }
.wrong { min-height: 1.45em; }
.page { height: 11.5rem; max-height: none; padding: 0.5rem 0.7rem; border: 1px solid var(--edge); border-radius: 6px;
  font-family: monospace; font-size: 0.92rem; line-height: 1.5; white-space: pre-wrap; overflow-wrap: anywhere; }
.page b { font-weight: 700; color: var(--muted); }
.s1 { background: color-mix(in srgb, var(--lstm) 12%, transparent); }
.s2 { background: color-mix(in srgb, var(--lstm) 24%, transparent); }
.s3 { background: color-mix(in srgb, var(--lstm) 38%, transparent); }
.hint { color: var(--muted); font-size: 0.85rem; min-height: 1.45em; }
.hint span { padding: 0 0.3em; color: var(--ink); white-space: nowrap; }
.status { min-height: 2.9em; }
.bars th:first-child { width: 6.6em; }
@container (max-width: 560px) { .hint { min-height: 2.9em; } .status { min-height: 4.35em; } .wrong { min-height: 2.9em; } }
@container (max-width: 400px) { .status { min-height: 5.8em; } .hint { min-height: 4.35em; } }
`;

class Writer extends Figure {
  static css = CSS;
  static weights = "text.json";
  static heavy = true;
  static address = {
    from: (text) => unescaped(text), written: (text) => unescaped(text), temperature: within(0, 1.5), guess: oneOf("on"),
  };

  from = FIRST; // what the reader typed
  written = ""; // what was drawn behind it
  temperature = WARMTH;
  guess = { on: false, picked: null };
  last = null; // what was drawn last: { character, share, bits }

  build() {
    this.text = field({ label: "The text begins with", value: FIRST, onInput: (text) => this.type(text) });
    this.page = html("div", { class: "page scroll", tabindex: 0, role: "group", "aria-label": "The text" }, html("b", {}, FIRST));
    const button = (label, action) => html("button", { type: "button", onclick: action }, label);
    this.guessing = toggle({ label: "Guess first", onChange: (on) => {
      this.guess = { on, picked: null };
      this.update();
    } });
    this.slider = slider({ label: "Temperature", min: 0, max: 1.5, step: 0.05, value: this.temperature,
      onInput: (value) => { this.temperature = value; this.update(); } });
    this.table = bars("next character", ["now", "at 1"], ROWS, { onPick: (i) => {
      this.guess.picked ??= i;
      this.update();
    } });
    return [
      ...this.text.elements, this.page,
      html("p", { class: "hint" }, "How surprising each character was: ", html("span", { class: "s1" }, "2 bits"), " ",
        html("span", { class: "s2" }, "4 bits"), " ", html("span", { class: "s3" }, "6 bits and more")),
      html("div", { class: "buttons" }, button("Draw a character", () => this.draw(1)), button("Write a line", () => this.draw(LINE)),
        button("Begin anew", () => {
          this.text.set(this.from);
          this.type(this.from);
        }), this.guessing.element),
      this.slider.element, this.status, this.table.element,
    ];
  }

  loaded({ characters, weights }) {
    this.characters = characters;
    this.index = new Map([...characters].map((character, i) => [character, i]));
    this.step = reader(unpack(weights));
  }

  /** The same text from its first character on; the sign of a beginning stands before it. */
  read(from, written) {
    const text = from + written;
    const unknown = [...text].find((character) => !this.index.has(character));
    if (unknown) throw new RangeError(`the network does not know “${unknown}”`);
    if (from.length > LONGEST) throw new RangeError(`the beginning has ${from.length} characters, but may have at most ${LONGEST}`);
    if (written.length > MOST) throw new RangeError(`the text is longer than ${MOST} characters`);
    this.now = this.step(0);
    this.bits = [];
    for (const character of text) this.follow(this.index.get(character));
    Object.assign(this, { from, written, last: null });
    this.guess.picked = null;
  }

  follow(character) {
    this.bits.push(bitsOf(softmax(this.now.scores)[character]));
    this.now = this.step(character, this.now.state);
  }

  type(text) {
    if (!this.step) return;
    this.read(text, "");
    this.update();
  }

  draw(most) {
    for (let n = 0; n < most && this.written.length < MOST; n++) {
      const p = tempered(this.now.scores, this.temperature), i = drawn(p, Math.random()), character = this.characters[i];
      this.follow(i);
      this.written += character;
      this.last = { character, share: p[i], bits: this.bits.at(-1) };
      if (character === "\n" || character === END) break;
    }
    this.guess.picked = null;
    this.update();
    this.page.scrollTop = this.page.scrollHeight;
  }

  get setting() {
    const setting = {};
    if (this.from !== FIRST) setting.from = escaped(this.from);
    if (this.written) setting.written = escaped(this.written);
    if (this.temperature !== WARMTH) setting.temperature = this.temperature;
    if (this.guess.on) setting.guess = "on";
    return setting;
  }

  set setting({ from = FIRST, written = "", temperature = WARMTH, guess }) {
    this.read(from, written);
    this.text.set(from);
    this.temperature = temperature;
    this.guess.on = guess === "on";
  }

  render() {
    const p = tempered(this.now.scores, this.temperature), plain = softmax(this.now.scores), { guess, last } = this;
    const order = plain.map((_, i) => i).sort((a, b) => plain[b] - plain[a]).slice(0, ROWS - 1);
    const best = order[0];
    if (guess.on) order.sort((a, b) => a - b); // the order would tell
    const entries = order.map((i) => ({ name: shown(this.characters[i]), share: p[i], mark: plain[i], strong: i === best }));
    const rest = (each) => Math.max(0, 1 - order.reduce((sum, i) => sum + each[i], 0));
    entries.push({ name: "any other", share: rest(p), mark: rest(plain) });
    const picked = entries[guess.picked], secret = guess.on && !picked;
    entries.forEach((entry) => Object.assign(entry, secret ? { share: null, mark: null, strong: false } : { pressed: entry === picked || null }));
    this.table.set(entries, { picking: guess.on });
    this.slider.set(this.temperature);
    this.guessing.set(guess.on);
    this.fill();

    const expects = `It expects ${shown(this.characters[best])}, ${percent(plain[best])}.`;
    const before = last ? `It drew ${shown(last.character)}, which had ${percent(last.share)}: ${number(last.bits, 1)} bits of surprise. ` : "";
    const full = this.written.length >= MOST ? "The page is full: begin anew. " : "";
    if (secret) this.say(`${before}What comes next? Press a character of the table.`);
    else this.say(`${full}${picked ? `You guessed ${picked.name}, ${percent(picked.mark)}. ` : before}${expects}`);
  }

  /** The text, in runs of the same shade; a blank has none. */
  fill() {
    const shade = (i) => (this.written[i].trim() === "" || this.written[i] === END ? 0
      : Math.min(3, Math.max(0, Math.floor(this.bits[this.from.length + i] / 2))));
    const runs = [];
    [...this.written].forEach((character, i) => {
      const kind = shade(i), text = character === END ? "∎\n" : character;
      if (runs.at(-1)?.kind === kind) runs.at(-1).text += text;
      else runs.push({ kind, text });
    });
    put(this.page, html("b", {}, this.from), runs.map(({ kind, text }) => (kind ? html("span", { class: `s${kind}` }, text) : text)));
  }
}

Writer.define("text");
