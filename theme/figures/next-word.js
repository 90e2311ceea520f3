// <unrolled-next-word>: "i am going to the ___". The reader chooses a reason and how much is told
// after it; a recurrent network that rnnlib trained reads the story word by word, here in the page,
// and its guess stands beside the best possible one, which the grammar gives exactly.

import { attach, html, slider } from "./svg.js";

/** The weights as rows of numbers: 16-bit whole numbers times one scale for each array. */
export function unpack(packed) {
  return Object.fromEntries(Object.entries(packed).map(([name, { shape, scale, int16 }]) => {
    const bytes = Uint8Array.from(atob(int16), (character) => character.charCodeAt(0));
    const view = new DataView(bytes.buffer);
    const columns = shape[1] ?? 1;
    const rows = Array.from({ length: shape[0] }, (_, i) =>
      Array.from({ length: columns }, (_, j) => view.getInt16(2 * (i * columns + j), true) * scale));
    return [name, shape.length === 1 ? rows.map(([value]) => value) : rows];
  }));
}

const dot = (row, vector) => row.reduce((sum, value, j) => sum + value * vector[j], 0);

/**
 * What the network expects after these words (indices): h_t = tanh(W_x x_t + W_h h_{t-1} + b) from
 * h_0 = 0 over all of them, then softmax(W_y h_T + c). Returns one probability for each word.
 */
export function distribution(weights, words) {
  const W_x = weights["rnn.weight_ih_l0"], W_h = weights["rnn.weight_hh_l0"];
  const b = weights["rnn.bias_ih_l0"].map((value, i) => value + weights["rnn.bias_hh_l0"][i]);
  let h = b.map(() => 0);
  for (const word of words) {
    const x = weights["embedding.weight"][word];
    h = b.map((value, i) => Math.tanh(dot(W_x[i], x) + dot(W_h[i], h) + value));
  }
  const scores = weights["linear.weight"].map((row, k) => dot(row, h) + weights["linear.bias"][k]);
  const highest = Math.max(...scores);
  const raised = scores.map((score) => Math.exp(score - highest));
  const sum = raised.reduce((a, b) => a + b, 0);
  return raised.map((value) => value / sum);
}

/** The best possible guess: P(place | reason) by Bayes' rule; P(place) where no reason is told. */
export function posterior({ places, reasons }, reason) {
  const joint = Object.entries(places).map(([place, p]) => (reason ? p * (reasons[place][reason] ?? 0) : p));
  const sum = joint.reduce((a, b) => a + b, 0);
  return joint.map((value) => value / sum);
}

/** All words before the blank. */
export function story({ frame }, reason, phrases) {
  return [...(reason ? [reason, "so"] : []), ...phrases, frame].join(" ").split(" ");
}

/** A phrase of so many words, drawn from the grammar. */
export function draw({ phrases }, length) {
  return phrases[length].map((slot) => slot[Math.floor(Math.random() * slot.length)]).join(" ");
}

const FIRST_WORDS = [
  "after a short nap", "mia says her aunt is coming", "with my umbrella", "while the cats are sleeping",
  "ben says his purse is empty",
];
const length = (phrase) => phrase.split(" ").length;
const percent = (p) => `${Math.round(100 * p)}%`;

const CSS = `
.card { display: grid; gap: 1.1rem 2rem; }
.told { font-size: 1.2rem; line-height: 1.55; min-height: 4.65em; color: var(--muted); text-wrap: pretty; }
.told b { color: var(--ink); font-weight: 600; }
.told .frame { color: var(--ink); }
.told .blank { display: inline-block; min-width: 5.4em; padding: 0 0.35em; line-height: 1.35;
  box-shadow: inset 0 -2px var(--output); color: var(--output); background: var(--output-wash);
  border-radius: 4px 4px 0 0; font-weight: 600; text-align: center; }
.left { display: grid; gap: 1rem; align-content: start; }
.pick { display: grid; gap: 0.25rem; }
.pick span, .slider span { font-size: 0.88rem; color: var(--muted); }
select { font: inherit; color: var(--ink); background: var(--paper); border: 1px solid var(--edge); border-radius: 6px;
  width: 100%; min-height: 2.4rem; padding: 0.2rem 0.5rem; opacity: 1; }
select:focus-visible { outline: 3px solid var(--state); outline-offset: 2px; }
.say { font-size: 0.9rem; min-height: 4.4em; }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 0.92rem; }
th { font-weight: 400; text-align: left; white-space: nowrap; padding: 0; }
thead th { font-size: 0.82rem; color: var(--muted); text-align: right; padding-bottom: 0.3rem; }
thead th:first-child { text-align: left; }
tbody th { width: 6em; }
tbody tr { height: 1.6rem; }
td { text-align: right; padding: 0; white-space: nowrap; }
td.number { width: 3.6em; }
td.none { color: var(--muted); }
tbody tr.top th, tbody tr.top td.rnn { font-weight: 600; color: var(--output); }
.track { position: relative; height: 1rem; border-radius: 3px; background: var(--shade); }
.bar { position: absolute; inset: 0 auto 0 0; width: 0; background: var(--output); border-radius: 3px; transition: width 0.25s ease-out; }
.mark { position: absolute; top: -0.16rem; bottom: -0.16rem; width: 3px; margin-left: -2px; background: var(--ink);
  border: solid var(--paper); border-width: 0 1px; box-sizing: content-box; transition: left 0.25s ease-out; }
.mark[data-zero] { visibility: hidden; }
.key { display: inline-block; width: 1.2em; height: 0.7em; border-radius: 2px; background: var(--output); margin-right: 0.25em; }
.key.best { width: 3px; height: 1em; border-radius: 0; background: var(--ink); vertical-align: -0.15em; }
@media (prefers-reduced-motion: reduce) { .bar, .mark { transition: none; } }
@container (min-width: 640px) { .card { grid-template-columns: 5fr 6fr; } .told { grid-column: 1 / -1; } }
/* room for the longest story, so that nothing below it moves: a line is 1.55 em */
@container (max-width: 639px) { .say { min-height: 3em; } .told { font-size: 1.12rem; min-height: 6.2em; } }
@container (max-width: 560px) { .told { min-height: 7.75em; } }
@container (max-width: 460px) { .told { min-height: 9.3em; } .say { min-height: 4.4em; } tbody th { width: 5.6em; } }
@container (max-width: 400px) { .told { min-height: 10.85em; } }
@container (max-width: 330px) { .told { min-height: 12.4em; } }
`;

class NextWord extends HTMLElement {
  connectedCallback() {
    if (this.shadowRoot) return;
    this.build();
    // 60 KB of weights are fetched when the reader comes near, not with the page
    this.observer = new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      this.observer.disconnect();
      this.load();
    }, { rootMargin: "400px" });
    this.observer.observe(this);
  }

  disconnectedCallback() {
    this.observer?.disconnect();
  }

  build() {
    this.phrases = [...FIRST_WORDS];
    this.count = 1;
    this.reason = "the fridge is empty";
    this.select = html("select", { disabled: true, onchange: () => { this.reason = this.select.value; this.update(); } },
      html("option", { value: this.reason }, this.reason));
    const words = (count) => {
      const n = this.phrases.slice(0, count).reduce((sum, phrase) => sum + length(phrase), 0);
      return `${n} words`;
    };
    this.slider = slider({
      label: "… and how much follows", min: 0, max: FIRST_WORDS.length, step: 1, value: this.count, format: words,
      onInput: (value) => { this.count = value; this.update(); },
    });
    this.other = html("button", {
      type: "button", "aria-disabled": "true",
      onclick: () => {
        if (!this.grammar) return;
        this.phrases = this.phrases.map((phrase) => draw(this.grammar, length(phrase)));
        this.update();
      },
    }, "Other words of that length");
    this.told = html("p", { class: "told" }, "…");
    this.say = html("p", { class: "say", "aria-live": "polite" }, "The network's weights are being fetched.");
    this.rows = html("tbody");
    const key = (kind) => html("span", { class: `key ${kind}`, "aria-hidden": "true" });
    attach(this, CSS).append(html("figure", { class: "card" },
      this.told,
      html("div", { class: "left" },
        html("label", { class: "pick" }, html("span", {}, "Choose a reason …"), this.select),
        this.slider.element,
        html("div", { class: "buttons" }, this.other),
        this.say),
      html("table", { "aria-label": "What comes next" },
        html("thead", {}, html("tr", {}, html("th", { scope: "col" }, "next word"), html("td", {}),
          html("th", { scope: "col" }, key("network"), "network"),
          html("th", { scope: "col" }, key("best"), "best"))),
        this.rows)));
    // as many rows as there will be, so that nothing moves when the weights arrive
    this.addRows(Array.from({ length: 13 }, () => "…"));
  }

  addRows(names) {
    this.bars = names.map((name) => {
      const bar = html("div", { class: "bar" }), mark = html("div", { class: "mark", "data-zero": true });
      const rnn = html("td", { class: "number rnn" }), best = html("td", { class: "number" });
      const row = html("tr", {}, html("th", { scope: "row" }, name),
        html("td", { "aria-hidden": "true" }, html("div", { class: "track" }, bar, mark)), rnn, best);
      return { row, bar, mark, rnn, best };
    });
    this.rows.replaceChildren(...this.bars.map(({ row }) => row));
  }

  async load() {
    try {
      const answer = await fetch(new URL("next-word.json", import.meta.url));
      if (!answer.ok) throw new Error(`status ${answer.status}`);
      const model = await answer.json();
      this.weights = unpack(model.weights);
      this.grammar = model;
    } catch (problem) {
      this.say.textContent = `The network's weights could not be fetched (${problem.message}). Reload the page to try again.`;
      return;
    }
    this.index = new Map(this.grammar.vocabulary.map((word, i) => [word, i]));
    this.places = Object.keys(this.grammar.places);
    const reasons = [...new Set(Object.values(this.grammar.reasons).flatMap(Object.keys))];
    this.select.replaceChildren(html("option", { value: "" }, "(no reason at all)"),
      ...reasons.map((reason) => html("option", { value: reason }, reason)));
    this.select.value = this.reason;
    this.select.disabled = false;
    this.other.setAttribute("aria-disabled", "false");
    this.addRows([...this.places, "any other"]);
    this.update();
  }

  update() {
    if (!this.weights) return;
    const phrases = this.phrases.slice(0, this.count), { reason, places } = this;
    const words = story(this.grammar, reason, phrases);
    const p = distribution(this.weights, [0, ...words.map((word) => this.index.get(word))]);
    const network = places.map((place) => p[this.index.get(place)]);
    network.push(1 - network.reduce((a, b) => a + b, 0));
    const best = [...posterior(this.grammar, reason), 0];
    const top = network.indexOf(Math.max(...network)), first = best.indexOf(Math.max(...best));

    this.bars.forEach(({ row, bar, mark, rnn, best: cell }, i) => {
      bar.style.width = `${100 * network[i]}%`;
      mark.style.left = `${100 * best[i]}%`;
      mark.toggleAttribute("data-zero", best[i] === 0);
      rnn.textContent = percent(network[i]);
      cell.textContent = percent(best[i]);
      for (const one of [rnn, cell]) one.classList.toggle("none", one.textContent === "0%");
      row.classList.toggle("top", i === top);
    });
    this.told.replaceChildren(
      ...(reason ? [html("b", {}, reason), " so "] : []), phrases.join(" "), " ",
      html("span", { class: "frame" }, this.grammar.frame), " ",
      html("span", { class: "blank" }, places[top] ?? "…"));
    const distance = words.length - (reason ? length(reason) : 0);
    this.say.textContent = `The network expects ${places[top] ?? "another word"}, ${percent(network[top])}. `
      + `The best possible guess is ${places[first]}, ${percent(best[first])}. `
      + (reason ? `The reason ended ${distance} words ago.` : "Without a reason, only habit is left.");
  }
}

if (!customElements.get("unrolled-next-word")) customElements.define("unrolled-next-word", NextWord);
