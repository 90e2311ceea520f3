// room: 47.5rem, 50.2rem, 54.6rem
// <unrolled-translation>: a network that rnnlib trained translates the reader's dates and numbers into
// Hungarian, word by word, and shows at which English words attention looks meanwhile.

import { escaped, field, Figure, unescaped, within } from "./figure.js";
import { affine, layer, lstmStep, softmax, unpack, unroll } from "./network.js";
import { buttonRow, html, numbers, percent, slider, svg } from "./svg.js";

const START = 0, END = 1, MOST = 60; // as in rnnlib/data/dates.py; the most words to write
const EXAMPLES = [["A date", "Friday, January 5, 2024"], ["A number", "seven hundred and twenty-two"],
  ["Three things", "May 17, 1955, two hundred and six, and Sunday, June 9, 2069"]];
const FIRST = EXAMPLES[0][1], LONGEST = 36;
// What this network makes of FIRST, from the same experiment as its weights.
const SHOWN = {"source": ["Friday", ",", "January", "5", ",", "2", "0", "2", "4"], "target": ["2", "0", "2", "4", ".", "január", "5", ".", ",", "péntek", "<end>"], "looks": [[0.0, 0.0, 0.0, 0.0, 0.04, 0.52, 0.28, 0.13, 0.02], [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.96, 0.03, 0.01], [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.04, 0.91, 0.04], [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.01, 0.0, 0.98], [0.03, 0.05, 0.0, 0.0, 0.06, 0.0, 0.07, 0.02, 0.77], [0.02, 0.0, 0.95, 0.02, 0.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0], [0.03, 0.17, 0.07, 0.39, 0.3, 0.02, 0.0, 0.0, 0.02], [0.01, 0.0, 0.99, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0], [0.99, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0], [0.92, 0.01, 0.01, 0.02, 0.0, 0.0, 0.01, 0.02, 0.01]]};

/** A function from English words, as indices, to each Hungarian word written, as an index, with the
 *  scores of all words and the weights over the English ones. The likeliest word is taken, up to the end. */
export function translator(weights) {
  const reads = layer(lstmStep, weights, "encoder.recurrent"), writes = layer(lstmStep, weights, "decoder.recurrent");
  const combine = weights["decoder.combine.weight"], none = new Array(combine.length).fill(0);
  return (source, most = MOST) => {
    const memory = unroll(reads, source.map((word) => weights["encoder.embedding.weight"][word]));
    const keys = memory.map(({ h }) => h), written = [];
    let state = memory.at(-1), word = START;
    while (written.length < most && !(written.length && word === END)) {
      state = writes(weights["decoder.embedding.weight"][word], state);
      const looks = softmax(affine(keys, state.h, new Array(keys.length).fill(0)));
      const context = state.h.map((_, k) => keys.reduce((sum, key, j) => sum + looks[j] * key[k], 0));
      const seen = affine(combine, [...context, ...state.h], none).map(Math.tanh);
      const scores = affine(weights["decoder.output.weight"], seen, weights["decoder.output.bias"]);
      word = scores.indexOf(Math.max(...scores));
      written.push({ word, scores, looks });
    }
    return written;
  };
}

/** A Hungarian text from its words: digits stand together, and so do the parts of a number. */
export function joined(words, parts) {
  return words.reduce((text, word, i) => {
    const last = words[i - 1], digit = /\d/;
    const close = /^[,.]$/.test(word) || (digit.test(word) && digit.test(last)) || (parts.has(word) && parts.has(last));
    return close || !i ? text + word : `${text} ${word}`;
  }, "");
}

const LEFT = 84, TOP = 92, TALL = 390, SPACE = 12; // SPACE: what a word of its own needs

class Translation extends Figure {
  static css = `
    .told span { font-size: 0.88rem; color: var(--muted); }
    .told { display: grid; padding-top: 0.5em; min-height: 3.3em; align-content: start; }
    .told b { font-size: 1.05rem; overflow-wrap: anywhere; }
    .cell { fill: var(--state); }
    .frame { fill: none; stroke: var(--line); }
    .row { fill: none; stroke: var(--ink); }
    .word { font-size: 12px; }
    .chosen { font-weight: 700; }
    .status { min-height: 2.9em; }
    @container (max-width: 560px) { .told { min-height: 4.8em; } .status { min-height: 4.35em; } }
    @container (max-width: 420px) { .told { min-height: 6.7em; } .status { min-height: 5.8em; } }`;
  static weights = "translation.json";
  static heavy = true;
  static shown = SHOWN;
  static address = { text: unescaped, word: within(1, MOST) };
  text = FIRST;
  row = 0;

  build() {
    this.line = field({ label: "Dates from 1900 to 2099 and numbers below a thousand, in English", value: FIRST,
      onInput: (text) => this.type(text) });
    this.examples = buttonRow("Examples", EXAMPLES.map(([label, text]) => ({ label, onClick: () => {
      this.row = 0;
      this.line.set(text);
      this.type(text);
    } })));
    this.result = html("b", { lang: "hu" });
    this.chosen = slider({ label: "word of the translation", min: 1, max: 10, step: 1, value: 1,
      format: (row) => `${row}`, onInput: (row) => { this.row = row - 1; this.update(); } });
    this.drawing = svg("svg", { role: "img", height: TALL, "aria-label": "Where each Hungarian word looks" });
    this.table = numbers("All weights");
    return [
      ...this.line.elements, this.examples.element,
      html("p", { class: "told" }, html("span", {}, "In Hungarian"), this.result),
      this.chosen.element, this.drawing, this.status, this.table.element,
    ];
  }

  begin({ source, target, looks }) {
    this.parts = new Set(); // of a number, and there is none in a date
    Object.assign(this, { source, target, written: looks.map((looks) => ({ looks })) });
  }

  loaded({ words, weights }) {
    this.words = words;
    this.index = new Map(words.en.map((word, i) => [word.toLowerCase(), i]));
    this.parts = new Set(words.hu.slice(words.hu.indexOf("vasárnap") + 1));
    this.network = translator(unpack(weights));
    this.read(this.line.input.value);
  }

  read(text) {
    const words = text.toLowerCase().match(/[a-z]+|\d|\S/g) ?? [];
    const unknown = words.find((word) => !(this.index.get(word) > 0));
    if (unknown) throw new RangeError(`the network does not know “${unknown}”`);
    if (!words.length) throw new RangeError("there is nothing to translate yet");
    if (words.length > LONGEST) throw new RangeError(`the text has ${words.length} words and signs, but may have at most ${LONGEST}`);
    const source = words.map((word) => this.index.get(word));
    this.source = source.map((i) => this.words.en[i]);
    this.written = this.network(source);
    this.target = this.written.map(({ word }) => this.words.hu[word]);
    this.text = text;
    this.row = Math.min(this.row, this.target.length - 1);
  }

  type(text) {
    if (!this.network) return;
    this.read(text);
    this.update();
  }

  render(width) {
    const { source, target, written, row } = this;
    const wide = (width - LEFT - 1) / source.length, tall = Math.min(22, (TALL - TOP - 2) / target.length);
    const words = target.map((word) => (word === "<end>" ? "the end" : word)), { looks } = written[row];
    const best = source.map((_, j) => j).sort((a, b) => looks[b] - looks[a]).slice(0, 2);
    const parts = [svg("rect", { class: "frame", x: LEFT, y: TOP, width: wide * source.length, height: tall * target.length })];
    source.forEach((word, j) => {
      if (wide < SPACE && j !== best[0]) return; // where there is no room for all
      const x = LEFT + (j + 0.5) * wide + 4;
      parts.push(svg("text", { class: "word", x, y: TOP - 6, transform: `rotate(-90 ${x} ${TOP - 6})` }, word));
    });
    written.forEach(({ looks }, t) => {
      const y = TOP + t * tall, name = { x: LEFT - 6, y: y + tall / 2 + 4, "text-anchor": "end" };
      if (tall >= SPACE || t === row) parts.push(svg("text", { class: t === row ? "word chosen" : "word", ...name }, words[t]));
      looks.forEach((look, j) => {
        if (look > 0.01) parts.push(svg("rect", { class: "cell", x: LEFT + j * wide, y, width: wide, height: tall, "fill-opacity": look.toFixed(3) }));
      });
    });
    parts.push(svg("rect", { class: "row", x: LEFT, y: TOP + row * tall, width: wide * source.length, height: tall }));
    this.drawing.setAttribute("viewBox", `0 0 ${width} ${TALL}`);
    this.drawing.replaceChildren(...parts);

    const text = joined(target.filter((word) => word !== "<end>"), this.parts);
    this.result.textContent = text || "–";
    this.chosen.input.max = target.length;
    this.chosen.set(row + 1);
    const told = best.filter((j) => looks[j] >= 0.1).map((j) => `“${source[j]}”, its word ${j + 1}, with ${percent(looks[j])}`);
    const open = target.at(-1) === "<end>" ? "" : ` It did not come to an end within ${MOST} words.`;
    const look = told.length ? `it looks at ${told.join(", and at ")}` : "it looks at many words a little";
    this.drawing.setAttribute("aria-label", `Where each of ${target.length} Hungarian words looks. Before “${words[row]}” ${look}.`);
    this.say(`Before it writes “${words[row]}”, ${look}.${open}`);
    this.table.fill(["word", ...source], written.map(({ looks }, t) => [words[t], ...looks.map(percent)]));
  }

  get setting() {
    return { ...(this.text !== FIRST && { text: escaped(this.text) }), ...(this.row && { word: this.row + 1 }) };
  }

  set setting({ text = FIRST, word = 1 }) {
    this.row = Math.round(word) - 1;
    this.read(text);
    this.line.set(text);
  }
}

Translation.define("translation");
