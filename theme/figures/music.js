// room: 36.7rem, 42.4rem, 46.4rem
// <unrolled-music>: a network that rnnlib trained goes on from the reader's chord, one voice after the
// other, and what it wrote is drawn and, when asked, played.

import { Figure, within } from "./figure.js";
import { drawn, gruStep, softmax, tempered, unpack, writer } from "./network.js";
import { html, number, numbers, put, slider, svg } from "./svg.js";

const VOICES = ["soprano", "alto", "tenor", "bass"], BARS = 8, BEATS = 4 * BARS, WARMTH = 0.7, PACE = 0.75; // seconds a beat
const LETTERS = ["C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B"];
const nameOf = (note) => `${LETTERS[note % 12]}${Math.floor(note / 12) - 1}`;

/** What the chapter's `write` computes: codes of voices and notes, with the network behind them. */
export function choir({ low, sizes, weights }) {
  const starts = sizes.map((_, v) => 1 + sizes.slice(0, v).reduce((a, b) => a + b, 0));
  const step = writer(gruStep, unpack(weights));
  const own = (scores, v) => scores.slice(starts[v], starts[v] + sizes[v]);
  return {
    begin: () => step(0),
    /** The scores of voice v alone, from its lowest note up. */
    scores: (now, v) => own(now.scores, v),
    follow: (now, v, note) => step(starts[v] + note - low[v], now.state),
    /** Nats of a note, among all that the network could have said. */
    surprise: (now, v, note) => -Math.log(softmax(now.scores)[starts[v] + note - low[v]]),
  };
}

/** Notes in an address: two letters of base 36 each. */
const packed = (notes) => notes.map((note) => note.toString(36).padStart(2, "0")).join("");
function notesOf(text, name) {
  const notes = (text.match(/../g) ?? []).map((pair) => parseInt(pair, 36));
  if (text.length % 8 || notes.some((note) => !(note >= 0))) throw new RangeError(`${name} is “${text}”, which is no list of chords`);
  return notes;
}

const CSS = `
.card { display: grid; gap: 0.8rem; grid-template-columns: minmax(0, 1fr); }
.chord { display: grid; gap: 0.5rem; grid-template-columns: repeat(4, minmax(0, 1fr)); }
.roll { height: 232px; border: 1px solid var(--edge); border-radius: 6px; }
.roll line { stroke: var(--line); }
.roll .now { stroke: var(--ink); stroke-width: 2; }
.v0 { fill: var(--lstm); } .v1 { fill: var(--input); } .v2 { fill: var(--output); } .v3 { fill: var(--state); }
.field .c0 { color: var(--lstm); } .field .c1 { color: var(--input); } .field .c2 { color: var(--output); } .field .c3 { color: var(--state); }
.field span { font-weight: 600; }
.status { min-height: 2.9em; }
@container (max-width: 560px) { .chord { grid-template-columns: repeat(2, minmax(0, 1fr)); } .status { min-height: 4.35em; } }
@container (max-width: 400px) { .status { min-height: 5.8em; } }
@media (forced-colors: active) { .roll rect { forced-color-adjust: none; fill: CanvasText; } }
`;

class Music extends Figure {
  static css = CSS;
  static weights = "music.json";
  static heavy = true;
  static address = { chord: notesOf, written: notesOf, temperature: within(0, 1.5) };

  written = []; // notes behind the first chord, voice after voice
  temperature = WARMTH;
  sounding = null; // { context, timer } while it plays

  build() {
    this.selects = VOICES.map((_, v) => html("select", { onchange: () => this.choose(v) }));
    this.drawing = svg("svg", { class: "roll", role: "img", "aria-label": "An empty piano roll, until the network is fetched." });
    this.slider = slider({ label: "Temperature", min: 0, max: 1.5, step: 0.05, value: this.temperature,
      onInput: (value) => { this.temperature = value; this.update(); } });
    const button = (label, action) => html("button", { type: "button", onclick: action }, label);
    this.play = button("Play", () => (this.sounding ? this.silence() : this.sound()));
    this.table = numbers("The notes, beat by beat");
    return [
      html("div", { class: "chord", role: "group", "aria-label": "The first chord" },
        VOICES.map((voice, v) => html("label", { class: "field" }, html("span", { class: `c${v}` }, voice), this.selects[v]))),
      this.drawing, this.slider.element,
      html("div", { class: "buttons" }, button("Write four bars", () => this.write(16)), button("Begin anew", () => {
        this.read(this.chord, []);
        this.update();
      }), this.play),
      this.status, this.table.element,
    ];
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.silence();
  }

  loaded(model) {
    this.model = model;
    this.choir = choir(model);
    this.selects.forEach((select, v) => put(select, Array.from({ length: model.sizes[v] }, (_, i) => model.sizes[v] - 1 - i)
      .map((i) => html("option", { value: model.low[v] + i }, nameOf(model.low[v] + i)))));
  }

  /** The network reads the chord and all that was written behind it. */
  read(chord, written) {
    const { low, sizes } = this.model, notes = [...chord, ...written];
    if (chord.length !== 4) throw new RangeError("a chord has four notes");
    if (notes.length > 4 * (BEATS + 1)) throw new RangeError(`a piece has at most ${BEATS + 1} beats here`);
    notes.forEach((note, n) => {
      if (note < low[n % 4] || note >= low[n % 4] + sizes[n % 4]) throw new RangeError(`the ${VOICES[n % 4]} cannot sing note ${note}`);
    });
    this.silence();
    this.now = this.choir.begin();
    this.nats = [];
    notes.forEach((note, n) => this.follow(n % 4, note));
    Object.assign(this, { chord, written });
  }

  follow(v, note) {
    this.nats.push(this.choir.surprise(this.now, v, note));
    this.now = this.choir.follow(this.now, v, note);
  }

  choose(v) {
    if (!this.model) return;
    this.read(this.chord.map((note, i) => (i === v ? Number(this.selects[v].value) : note)), []);
    this.update();
  }

  write(beats) {
    this.silence();
    for (let n = 0; n < 4 * beats && this.written.length < 4 * BEATS; n++) {
      const v = n % 4, note = this.model.low[v] + drawn(tempered(this.choir.scores(this.now, v), this.temperature), Math.random());
      this.follow(v, note);
      this.written.push(note);
    }
    this.update();
  }

  /** The notes of each beat. */
  get chords() {
    const notes = [...this.chord, ...this.written];
    return Array.from({ length: notes.length / 4 }, (_, t) => notes.slice(4 * t, 4 * t + 4));
  }

  /** Nothing sounds before this is pressed. */
  sound() {
    const context = new AudioContext(), start = context.currentTime + 0.1, { chords } = this;
    chords.forEach((chord, t) => chord.forEach((note) => {
      const tone = context.createOscillator(), loud = context.createGain(), from = start + PACE * t;
      tone.type = "triangle";
      tone.frequency.value = 440 * 2 ** ((note - 69) / 12);
      loud.gain.setValueAtTime(0, from);
      loud.gain.linearRampToValueAtTime(0.15, from + 0.03);
      loud.gain.exponentialRampToValueAtTime(0.04, from + 0.9 * PACE);
      loud.gain.linearRampToValueAtTime(0, from + PACE);
      tone.connect(loud).connect(context.destination);
      tone.start(from);
      tone.stop(from + PACE);
    }));
    const follow = () => {
      const beat = Math.floor((context.currentTime - start) / PACE);
      if (beat >= chords.length) this.silence();
      else this.point(Math.max(0, beat));
    };
    this.sounding = { context, timer: setInterval(follow, 100) };
    this.play.textContent = "Stop";
  }

  silence() {
    if (!this.sounding) return;
    clearInterval(this.sounding.timer);
    this.sounding.context.close();
    this.sounding = null;
    this.play.textContent = "Play";
    this.point(null);
  }

  /** A line at the beat that sounds. */
  point(beat) {
    this.needle?.remove();
    if (beat === null) return;
    const x = (beat + 0.5) * this.wide;
    this.needle = svg("line", { class: "now", x1: x, x2: x, y1: 0, y2: 230 });
    this.drawing.append(this.needle);
  }

  get setting() {
    const setting = {};
    if (!this.model) return setting;
    if (packed(this.chord) !== packed(this.model.chord)) setting.chord = packed(this.chord);
    if (this.written.length) setting.written = packed(this.written);
    if (this.temperature !== WARMTH) setting.temperature = this.temperature;
    return setting;
  }

  set setting({ chord = this.model.chord, written = [], temperature = WARMTH }) {
    this.read(chord, written);
    this.temperature = temperature;
  }

  render(width) {
    const { low, sizes } = this.model, { chords } = this, height = 230;
    const lowest = Math.min(...low), tall = height / (Math.max(...low.map((note, v) => note + sizes[v])) - lowest);
    this.wide = width / (BEATS + 1);
    this.drawing.setAttribute("viewBox", `0 0 ${width} ${height}`);
    put(this.drawing, Array.from({ length: BARS }, (_, bar) => {
      const x = (4 * bar + 1) * this.wide;
      return svg("line", { x1: x, x2: x, y1: 0, y2: height });
    }), chords.flatMap((chord, t) => chord.map((note, v) => svg("rect", { class: `v${v}`, x: t * this.wide + 0.5,
      y: height - (note - lowest + 1) * tall, width: Math.max(1, this.wide - 1), height: tall }))));
    if (this.sounding) this.point(0);
    const last = chords.at(-1), told = last.map(nameOf).join(" ");
    this.drawing.setAttribute("aria-label", `Piano roll of ${chords.length} beats in four voices; the last chord is ${told}.`);
    this.selects.forEach((select, v) => { select.value = this.chord[v]; });
    this.slider.set(this.temperature);
    const surprise = this.nats.slice(-4).reduce((a, b) => a + b, 0);
    this.table.fill(["beat", ...VOICES, "nats"], chords.map((chord, t) => [t + 1, ...chord.map(nameOf),
      number(this.nats.slice(4 * t, 4 * t + 4).reduce((a, b) => a + b, 0), 1)]));
    const full = this.written.length >= 4 * BEATS ? "The roll is full: begin anew. " : "";
    const first = chords.length === 1 ? "This chord is yours. " : "";
    this.say(`${full}${first}Beat ${chords.length}: ${told}. It surprised the network by ${number(surprise, 1)} nats.`);
  }
}

Music.define("music");
