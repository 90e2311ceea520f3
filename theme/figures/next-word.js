// room: 52.2rem, 79.2rem, 85.3rem
// <unrolled-next-word>: "i am going to the ___". A recurrent network that rnnlib trained reads a story
// word by word, here in the page. The reader chooses or writes the story, and sees the hidden state
// after each word, what the network expects next, and the best possible guess for the place.

import { Figure, field, oneOf, within, wordsOf } from "./figure.js";
import { affine, layer, rnnStep, softmax, unpack, unroll } from "./network.js";
import { bars, heat, html, percent, put, slider, svg, toggle } from "./svg.js";

/** The best possible guess: P(place | reason) by Bayes' rule; P(place) where no reason is told. */
export function posterior({ places, reasons }, reason) {
  const joint = Object.entries(places).map(([place, p]) => (reason ? p * (reasons[place][reason] ?? 0) : p));
  const sum = joint.reduce((a, b) => a + b, 0);
  return joint.map((value) => value / sum);
}

/** What a story of the grammar looks like; its first group is the reason. */
export function pattern({ reasons, phrases, frame }) {
  const phrase = Object.values(phrases).map((slots) => slots.map((slot) => `(?:${slot.join("|")})`).join(" "));
  const reason = Object.values(reasons).flatMap(Object.keys);
  return new RegExp(`^(?:(${reason.join("|")}) so )?(?:(?:${phrase.join("|")}) )*${frame}$`);
}

/** The network: a function from words, as indices, to its state and its guess after each of them. */
export function reader(weights) {
  const step = layer(rnnStep, weights, "rnn");
  return (words) => unroll(step, words.map((word) => weights["embedding.weight"][word]))
    .map(({ h }) => ({ h, p: softmax(affine(weights["linear.weight"], h, weights["linear.bias"])) }));
}

/** A phrase of so many words, drawn from the grammar. */
function draw({ phrases }, length) {
  return phrases[length].map((slot) => slot[Math.floor(Math.random() * slot.length)]).join(" ");
}

const FIRST_WORDS = [
  "after a short nap", "mia says her aunt is coming", "with my umbrella", "while the cats are sleeping",
  "ben says his purse is empty",
];
const FIRST = "the fridge is empty so after a short nap i am going to the";
const length = (text) => text.split(" ").length;
const LONGEST = 34, ROWS = 13, STRIP = 112;

const CSS = `
.card { display: grid; gap: 0.9rem 2rem; grid-template-columns: minmax(0, 1fr); }
.told { font-size: 1.15rem; line-height: 1.55; min-height: 4.65em; text-wrap: pretty; }
.told .now { background: var(--state-wash); box-shadow: inset 0 -2px var(--state); border-radius: 3px 3px 0 0; }
.told .later { color: var(--muted); }
.told .blank { display: inline-block; min-width: 5.4em; padding: 0 0.35em; line-height: 1.35;
  box-shadow: inset 0 -2px var(--output); color: var(--output); background: var(--output-wash);
  border-radius: 4px 4px 0 0; font-weight: 600; text-align: center; }
.reading { display: grid; gap: 0.3rem; }
.reading svg { cursor: pointer; touch-action: pan-y; }
.frame { fill: none; stroke: var(--edge); }
.now.column { fill: none; stroke: var(--ink); stroke-width: 2; }
.veil { fill: var(--paper); fill-opacity: 0.65; }
.hint { color: var(--muted); font-size: 0.85rem; }
.left { display: grid; gap: 0.9rem; align-content: start; }
.slider span { font-size: 0.88rem; color: var(--muted); }
.status { min-height: 2.9em; }
.words { color: var(--muted); font-size: 0.88rem; }
@container (min-width: 640px) { .card { grid-template-columns: 5fr 6fr; } .card > :not(.left, .bars) { grid-column: 1 / -1; } }
/* room for the longest story, so that nothing below it moves: a line is 1.55 em */
@container (max-width: 639px) { .told { font-size: 1.08rem; min-height: 6.2em; } }
@container (max-width: 560px) { .told { min-height: 7.75em; } .status { min-height: 5.8em; } }
@container (max-width: 460px) { .told { min-height: 9.3em; } }
@container (max-width: 400px) { .told { min-height: 10.85em; } }
@container (max-width: 330px) { .told { min-height: 12.4em; } .status { min-height: 7.25em; } }
`;

class NextWord extends Figure {
  static css = CSS;
  static weights = "next-word.json";
  static address = { story: (text) => text, word: within(1, LONGEST), guess: oneOf("on") };

  phrases = [...FIRST_WORDS];
  count = 1;
  reason = "the fridge is empty";
  story = FIRST;
  at = Infinity; // how many words are read
  pointed = null; // the same, under the pointer
  guess = { on: false, picked: null };

  build() {
    this.select = html("select", { onchange: () => { this.reason = this.select.value; this.compose(); } });
    this.slider = slider({
      label: "… and how much follows", min: 0, max: FIRST_WORDS.length, step: 1, value: this.count,
      format: (count) => `${this.phrases.slice(0, count).reduce((sum, phrase) => sum + length(phrase), 0)} words`,
      onInput: (value) => { this.count = value; this.compose(); },
    });
    const other = html("button", { type: "button", onclick: () => {
      this.phrases = this.phrases.map((phrase) => draw(this.model, length(phrase)));
      this.compose();
    } }, "Other words of that length");
    this.guessing = toggle({ label: "Guess first", onChange: (on) => {
      this.guess = { on, picked: null };
      this.update();
    } });
    this.text = field({ label: "… or write a story of your own", onInput: (text) => this.write(text) });
    this.words = html("p", { class: "words" });

    this.told = html("p", { class: "told", onpointerover: (event) => this.point(event.target.dataset.word),
      onpointerleave: () => this.point(), onclick: (event) => this.read(event.target.dataset.word) }, FIRST, " …");
    this.strip = svg("svg", { role: "img", "aria-label": "The hidden state", height: STRIP });
    const under = (event) => {
      const { left, width } = this.strip.getBoundingClientRect();
      return Math.min(Math.max(Math.ceil((event.clientX - left) / width * this.states.length), 1), this.states.length);
    };
    for (const type of ["pointermove", "pointerdown"]) this.strip.addEventListener(type, (event) => this.point(under(event)));
    this.strip.addEventListener("pointerleave", () => this.point());
    this.strip.addEventListener("click", (event) => this.read(under(event)));
    this.place = slider({ label: "Read as far as", min: 1, max: length(FIRST), step: 1, value: length(FIRST),
      format: (n) => `word ${n}: ${this.story.split(" ")[n - 1]}`, onInput: (n) => this.read(n) });
    this.table = bars("next word", ["network", "best"], ROWS, { onPick: (i) => {
      this.guess.picked ??= i;
      this.update();
    } });

    return [
      this.told,
      html("div", { class: "reading" },
        html("p", { class: "hint" }, "The hidden state after each word: 64 numbers, orange above zero, blue below"),
        this.strip, this.place.element),
      this.status,
      html("div", { class: "left" },
        html("label", { class: "field" }, html("span", {}, "Choose a reason …"), this.select),
        this.slider.element,
        html("div", { class: "buttons" }, other, this.guessing.element),
        this.text.elements),
      this.table.element,
      html("details", {}, html("summary", {}, "The words that the network knows"), this.words),
    ];
  }

  loaded(model) {
    this.model = model;
    this.network = reader(unpack(model.weights));
    this.grammar = pattern(model);
    this.index = new Map(model.vocabulary.map((word, i) => [word, i]));
    this.places = Object.keys(model.places);
    const reasons = [...new Set(Object.values(model.reasons).flatMap(Object.keys))];
    put(this.select, html("option", { value: "" }, "(no reason at all)"), reasons.map((reason) => html("option", {}, reason)),
      html("option", { value: "own", disabled: true }, "(words of your own)"));
    this.words.textContent = `${model.vocabulary.slice(1).sort().join(", ")}.`;
  }

  /** A new story; the reader's own may be anything. */
  tell(text) {
    const words = wordsOf(text, this.index, LONGEST, "story");
    // the network was trained to begin with <start>, which has the index 0
    this.states = this.network([0, ...words.map((word) => this.index.get(word))]).slice(1);
    this.story = words.join(" ");
    this.at = Infinity;
    this.guess.picked = null;
  }

  compose() {
    if (!this.states) return;
    this.write([...(this.reason ? [this.reason, "so"] : []), ...this.phrases.slice(0, this.count), this.model.frame].join(" "));
    this.text.set(this.story);
  }

  write(text) {
    if (!this.model) return;
    this.tell(text);
    this.update();
  }

  point(word) {
    if (this.pointed === (word ?? null) || !this.states) return;
    this.pointed = word ?? null;
    this.update();
  }

  read(word) {
    if (!word) return;
    this.at = Number(word);
    this.update();
  }

  get setting() {
    const setting = {};
    if (this.story !== FIRST) setting.story = this.story.replaceAll(" ", "-");
    if (this.at < this.states.length) setting.word = this.at;
    if (this.guess.on) setting.guess = "on";
    return setting;
  }

  set setting({ story = FIRST, word = Infinity, guess }) {
    this.tell(story);
    this.text.set(this.story);
    this.at = Math.round(word);
    this.guess.on = guess === "on";
  }

  render(width) {
    const words = this.story.split(" "), T = words.length, { guess, places, model } = this;
    const at = Math.min(Number(this.pointed ?? this.at), T), { p } = this.states[at - 1];
    const match = this.grammar.exec(this.story), blank = at === T && this.story.endsWith(model.frame);
    if (match) this.reason = match[1] ?? "";

    // after the frame the places, with the best guess where the grammar has one; elsewhere what comes first
    const order = blank ? model.vocabulary.slice(1, 1 + places.length).map((_, i) => i + 1)
      : p.map((_, i) => i).sort((a, b) => p[b] - p[a]).slice(0, ROWS - 1);
    const best = blank && match ? [...posterior(model, this.reason), 0] : [];
    const entries = order.map((i) => ({ name: model.vocabulary[i], share: p[i] }));
    entries.push({ name: "any other", share: 1 - entries.reduce((sum, { share }) => sum + share, 0) });
    const top = entries.reduce((a, b) => (b.share > a.share ? b : a)), picked = entries[guess.picked];
    const secret = guess.on && blank && !picked;
    entries.forEach((entry, i) => Object.assign(entry, secret ? { share: null }
      : { mark: best[i] ?? null, strong: entry === top, pressed: entry === picked || null }));
    this.table.set(entries, { title: blank ? "next word" : `after “${words[at - 1]}”`, picking: guess.on && blank });

    this.select.value = match ? this.reason : "own";
    this.guessing.set(guess.on);
    this.slider.set(this.count);
    this.place.input.max = T;
    this.place.set(at);
    put(this.told, words.map((word, i) => [html("span", { "data-word": i + 1,
      class: i + 1 === at ? "now" : i < at ? "read" : "later" }, word), " "]),
    html("span", { class: "blank" }, secret ? "?" : at < T ? "…" : top.name));
    this.drawStrip(width, at);

    const ago = T - length(this.reason), first = best.indexOf(Math.max(...best));
    const expects = `The network expects ${top.name}, ${percent(top.share)}.`;
    if (secret) this.say("What comes next? Press a word of the table.");
    else if (at < T) {
      const given = p[this.index.get(words[at])];
      this.say(`After word ${at} of ${T}, “${words[at - 1]}”: ${expects} The story goes on with ${words[at]}, ${percent(given)}.`);
    } else if (!best.length) this.say(expects);
    else this.say(`${picked ? `You guessed ${picked.name}. ` : ""}${expects} The best possible guess is ${places[first]}, ${percent(best[first])}. `
        + (this.reason ? `The reason ended ${ago} words ago.` : "Without a reason, what counts is how common each place is."));
  }

  drawStrip(width, at) {
    const columns = this.states.map(({ h }) => h), T = columns.length, cell = { width: width / T, height: STRIP / columns[0].length };
    this.strip.setAttribute("viewBox", `0 0 ${width} ${STRIP}`);
    this.strip.setAttribute("aria-label", `The hidden state after each of the ${T} words of the story, a column of ${columns[0].length} colours each.`);
    put(this.strip, heat(columns, cell),
      svg("rect", { class: "veil", x: at * cell.width, y: 0, width: width - at * cell.width, height: STRIP }),
      svg("rect", { class: "frame", x: 0, y: 0, width, height: STRIP }),
      svg("rect", { class: "now column", x: (at - 1) * cell.width, y: 1, width: cell.width, height: STRIP - 2 }));
  }
}

NextWord.define("next-word");
