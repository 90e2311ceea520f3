// What every figure stands on. A figure is a file NAME.js here; <unrolled-NAME> plays it in a page,
// and what stands between its tags is what readers without a script get. A whole one:
//
//     // room: 12rem, 12rem, 15rem          its height in a wide, a middle and a narrow page
//     import { Figure, within } from "./figure.js";
//     import { rnnStep, unroll } from "./network.js";
//     import { number, slider, svg } from "./svg.js";
//
//     class Fading extends Figure {
//       static css = "rect { fill: var(--state); }";
//       w = 0.8;
//       build() {                            // once: what stands in the card, from top to bottom
//         this.drawing = svg("svg", { role: "img", height: 80 });
//         this.slider = slider({ label: "w_h", min: 0, max: 1, step: 0.1, value: this.w,
//           onInput: (value) => { this.w = value; this.update(); } });
//         return [this.drawing, this.slider.element];
//       }
//       render(width) {                      // after each update, and when the width has changed
//         const cell = { W_x: [[1]], W_h: [[this.w]], b: [0] };
//         const h = unroll((x, state) => rnnStep(cell, x, state), [[1], [0], [0], [0]]).map(({ h }) => h[0]);
//         this.drawing.setAttribute("viewBox", `0 0 ${width} 80`);
//         this.drawing.replaceChildren(...h.map((value, i) =>
//           svg("rect", { x: i * width / 4, y: 80 - 80 * value, width: 20, height: 80 * value })));
//         this.say(`After four steps ${number(h[3])} of the input is left.`);
//       }
//       // Optional: the setting in the address of the page, page.html?fading=w:0.5, for links to it.
//       static address = { w: within(0, 1) };
//       get setting() { return this.w === 0.8 ? {} : { w: this.w }; }
//       set setting({ w = 0.8 }) { this.w = w; this.slider.set(w); }
//     }
//     Fading.define("fading");
//
// `static weights = "fading.json"` names a file beside it: it is fetched when the reader comes near,
// or, with `static heavy = true` (more than 50 KB on the wire), when the reader presses something; then
// `loaded(model)` is called, and only from then on `render`; with `static shown`, a first example that
// stands in the script, `begin(shown)` is called at once, and `render` draws it until the weights are there.
// What the reader presses, moves, chooses or types before that counts from then on.
//
// tests/theme/test_figures.py holds every figure to what readers are owed: words, keys, both themes,
// 320 px, and nothing that jumps.

import { buttonRow, html } from "./svg.js";

// How parts of a setting are read from an address, where anything may stand.

/** A number of this range. */
export const within = (low, high) => (text, name) => {
  const value = Number(text);
  if (text !== "" && low <= value && value <= high) return value;
  throw new RangeError(`${name} is “${text}”, but must be a number from ${low} to ${high}`);
};

/** One of these words. */
export const oneOf = (...words) => (text, name) => {
  if (words.includes(text)) return text;
  throw new RangeError(`${name} is “${text}”, but must be one of ${words.join(", ")}`);
};

/** The words of a sentence, all of which have to be in `index`, a Map from words to numbers. */
export function wordsOf(text, index, longest, what = "sentence") {
  const words = text.toLowerCase().split(/[^a-z]+/).filter(Boolean);
  const unknown = words.find((word) => !index.has(word));
  if (unknown) throw new RangeError(`the network does not know “${unknown}”`);
  if (!words.length) throw new RangeError(`a ${what} has at least one word`);
  if (words.length > longest) throw new RangeError(`the ${what} has ${words.length} words, but may have at most ${longest}`);
  return words;
}

/**
 * A line to write in. `onInput(text)` hears what stands there after each key; if it throws a
 * RangeError, such as that of `wordsOf`, its message stands below. `set(text)` writes silently.
 */
export function field({ label, value = "", onInput }) {
  const wrong = html("p", { class: "wrong", id: "wrong", role: "alert" });
  const input = html("input", { type: "text", value, autocomplete: "off", autocapitalize: "none", spellcheck: "false",
    "aria-describedby": "wrong", oninput: () => {
      try {
        onInput(input.value);
        complain("");
      } catch (problem) {
        if (!(problem instanceof RangeError)) throw problem;
        complain(`${problem.message[0].toUpperCase()}${problem.message.slice(1)}.`);
      }
    } });
  function complain(text) {
    wrong.textContent = text;
    input.setAttribute("aria-invalid", text !== "");
  }
  return {
    elements: [html("label", { class: "field" }, html("span", {}, label), input), wrong],
    input,
    set(text) { input.value = text; complain(""); },
  };
}

/** Text for an address: letters and digits stand for themselves; `unescaped` gives it back. */
export const escaped = (text) => text.replaceAll(/[^a-zA-Z0-9]/g, (c) => (c === " " ? "_" : `-${c.charCodeAt().toString(16).padStart(2, "0")}`));
export const unescaped = (text) => text.replaceAll(/_|-([0-9a-f]{2})/g, (c, code) => (code ? String.fromCharCode(parseInt(code, 16)) : " "));

/**
 * Buttons that walk through time: step, back, play, reset. `t` runs from 0, nothing done yet, to `T`;
 * `onMove(t)` hears each move. `set(t, T)` moves silently. The figure that holds it as `this.player`
 * stops it when it leaves the page.
 */
export function player({ T, t = 0, label = "Time", pace = 900, onMove }) {
  let timer = null;
  const row = buttonRow(label, [
    { label: "Step", onClick: () => go(self.t + 1) },
    { label: "Back", onClick: () => go(self.t - 1) },
    { label: "Play", onClick: () => (timer ? self.pause() : start()) },
    { label: "Reset", onClick: () => go(0) },
  ]);
  const [step, back, play] = row.buttons;
  const self = {
    element: row.element,
    set(t, T = self.T) {
      Object.assign(self, { T, t: Math.min(Math.max(t, 0), T) });
      // unlike `disabled`, this leaves the focus where it is
      step.setAttribute("aria-disabled", self.t === T);
      back.setAttribute("aria-disabled", self.t === 0);
    },
    pause() {
      clearInterval(timer);
      timer = null;
      play.textContent = "Play";
    },
  };
  function move(t) {
    self.set(t);
    onMove(self.t);
  }
  function go(t) {
    self.pause();
    move(t);
  }
  function start() {
    // whoever asks for less motion gets the end at once
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return move(self.T);
    move(self.t === self.T ? 0 : self.t + 1);
    timer = setInterval(() => (self.t < self.T ? move(self.t + 1) : self.pause()), pace);
    play.textContent = "Pause";
  }
  self.set(t, T);
  return self;
}

export class Figure extends HTMLElement {
  static css = "";
  static weights = null;
  static heavy = false;
  static shown = null;
  static address = null;

  static define(name) {
    this.figure = name;
    // a test imports the file a second time, for its computation
    if (!customElements.get(`unrolled-${name}`)) customElements.define(`unrolled-${name}`, this);
  }

  /** One line that says what is to be seen. It is read aloud when it changes, and stands last in the
   *  card unless `build` places it elsewhere. */
  status = html("p", { class: "status", "aria-live": "polite" });
  #ready = !this.constructor.weights;
  #begun = false;
  #touched = false;
  #complaint = "";

  connectedCallback() {
    if (!this.shadowRoot) this.#start();
    this.#resized.observe(this.#card);
    if (!this.#ready && !this.constructor.heavy) this.#near.observe(this);
    addEventListener("popstate", this.#addressChanged);
    document.addEventListener("click", this.#linkPressed);
  }

  disconnectedCallback() {
    this.#resized.disconnect();
    this.#near.disconnect();
    removeEventListener("popstate", this.#addressChanged);
    document.removeEventListener("click", this.#linkPressed);
    this.player?.pause();
  }

  /** Draw again, because a setting has changed. */
  update() {
    this.#draw();
    if (this.#ready && this.#touched && this.constructor.address) {
      clearTimeout(this.#writing); // a browser refuses an address that changes with every pixel
      this.#writing = setTimeout(() => history.replaceState(history.state, "", this.#link()), 300);
    }
  }

  say(text) {
    text = this.#complaint + text;
    if (this.status.textContent !== text) this.status.textContent = text;
  }

  // What follows is nobody's business.

  #card = html("figure", { class: "card" });
  #writing = null;
  #fetching = null;
  #early = new Map(); // the controls that were used before the weights came, and what they said then
  #resized = new ResizeObserver(() => this.#draw());
  #near = new IntersectionObserver((entries) => {
    if (entries.some((entry) => entry.isIntersecting)) this.#fetch();
  }, { rootMargin: "400px" });

  #start() {
    // until this moment the element's own text stands in the page, and wherever no script runs
    this.attachShadow({ mode: "open" }).append(html("style", {}, BASE + this.constructor.css), this.#card);
    const parts = this.build();
    this.#card.append(...parts);
    if (!this.#card.contains(this.status)) this.#card.append(this.status);
    if (this.constructor.address && navigator.clipboard) this.#card.append(this.#copyButton());
    // who follows a link to a setting sees it at once; who comes back finds the page as it was left
    const fresh = performance.getEntriesByType("navigation")[0]?.type === "navigate";
    if (this.#asked && !location.hash && fresh) this.scrollIntoView();
    for (const press of ["pointerdown", "keydown"]) this.shadowRoot.addEventListener(press, () => this.#pressed(), true);
    for (const use of ["click", "input", "change"]) this.shadowRoot.addEventListener(use, this.#used, true);
    if (this.#ready) return this.#readAddress();
    if (this.constructor.shown && !this.#asked) {
      this.begin(this.constructor.shown);
      this.#begun = true;
      return;
    }
    this.#card.ariaBusy = true;
    this.say(this.constructor.heavy ? "The network is fetched when you press something here." : "The network is being fetched.");
  }

  #pressed() {
    this.#touched = true;
    this.#complaint = "";
    if (!this.#ready && !this.#fetching) this.#fetch();
  }

  /** What is used before the weights are there is used again with them, or for the first time. */
  #used = (event) => {
    const control = event.target.closest("input, select, button:not(.quiet)"), press = control?.matches("button");
    if (this.#ready || !control || (event.type === "click" && !press)) return;
    if (press) event.stopPropagation();
    this.#early.delete(control); // what was used last comes last
    this.#early.set(control, press ? null : { value: control.value, checked: control.checked });
  };

  #useAgain() {
    for (const [control, said] of this.#early) {
      if (!said) control.click();
      else {
        Object.assign(control, said);
        for (const use of ["input", "change"]) control.dispatchEvent(new Event(use));
      }
    }
    this.#early.clear();
  }

  #fetch() {
    this.#near.disconnect();
    this.#card.ariaBusy = true;
    if (!this.#begun) this.say("The network is being fetched.");
    this.#fetching ??= this.#load().catch((problem) => {
      this.#fetching = null;
      this.say(`The network could not be fetched (${problem.message}). Press something here to try again.`);
    });
  }

  async #load() {
    const address = new URL(this.constructor.weights, import.meta.url);
    address.search = new URL(import.meta.url).search; // the version that the page asks for
    const answer = await fetch(address);
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    this.loaded(await answer.json());
    this.#ready = true;
    this.#card.ariaBusy = null;
    this.#readAddress();
    this.#useAgain();
    this.#draw();
  }

  #draw() {
    const { width } = this.#card.getBoundingClientRect();
    const { paddingLeft, paddingRight } = getComputedStyle(this.#card);
    const inside = Math.floor(width - parseFloat(paddingLeft) - parseFloat(paddingRight) - 2);
    if ((this.#ready || this.#begun) && inside > 0) this.render(inside);
  }

  #link() {
    const { figure } = this.constructor, url = new URL(location.href);
    const setting = Object.entries(this.setting).map((pair) => pair.join(":")).join(",");
    const others = url.search.slice(1).split("&").filter((part) => part && !part.startsWith(`${figure}=`));
    url.search = [...others, ...(setting ? [`${figure}=${setting}`] : [])].join("&");
    return url;
  }

  get #asked() { return new URLSearchParams(location.search).get(this.constructor.figure); }

  #readAddress() {
    const { address } = this.constructor;
    if (!address) return;
    const asked = this.#asked ?? "";
    try {
      this.#complaint = "";
      this.setting = Object.fromEntries(asked.split(",").filter(Boolean).map((pair) => {
        const [name, text = ""] = pair.split(":");
        if (!Object.hasOwn(address, name)) throw new RangeError(`“${name}” is not known here`);
        return [name, address[name](text, name)];
      }));
    } catch (problem) {
      if (!(problem instanceof RangeError)) throw problem;
      this.setting = {};
      this.#complaint = `The address of this page asks for what cannot be shown: ${problem.message}. `;
    }
  }

  #addressChanged = () => {
    if (!this.#ready) return; // then the address is read when the weights are there
    this.#readAddress();
    this.#draw();
  };

  /** A link of this page to another setting plays it here, without loading the page again. */
  #linkPressed = (event) => {
    const link = event.target.closest?.("a[href]");
    if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const url = new URL(link.href);
    if (url.pathname !== location.pathname || !url.searchParams.has(this.constructor.figure)) return;
    event.preventDefault();
    history.pushState(null, "", url);
    this.#early.clear();
    if (this.#ready) this.#addressChanged();
    else this.#fetch();
    this.#card.tabIndex = -1;
    this.#card.focus({ preventScroll: true });
    this.scrollIntoView();
  };

  #copyButton() {
    return html("button", {
      type: "button", class: "quiet",
      onclick: async () => {
        const { href } = this.#link();
        try {
          await navigator.clipboard.writeText(href);
          this.say("The link to this setting is copied.");
        } catch {
          this.say(`The browser does not let the page copy. The link is ${href}`);
        }
      },
    }, "Copy a link to this setting");
  }
}

const BASE = `
:host {
  display: block; position: relative; container-type: inline-size; max-width: 800px; margin: 1.5rem auto;
  color: var(--ink); font-size: 0.95rem; line-height: 1.45;
}
:host([hidden]), [hidden] { display: none; }
* { box-sizing: border-box; }
figure, fieldset, p { margin: 0; padding: 0; border: 0; min-width: 0; }
.card { border: 1px solid var(--line); border-radius: 10px; background: var(--paper);
  padding: 1rem clamp(0.5rem, 2.5cqi, 1.25rem); }
.card:focus { outline: none; }
svg { display: block; width: 100%; height: auto; font-family: inherit; fill: currentColor; }
sub, .index { font-size: 0.75em; line-height: 0; }
.math, .symbol { font-family: "KaTeX_Main", "STIX Two Text", Georgia, "Times New Roman", serif; }
.math i { padding-right: 0.04em; }
.status { font-size: 0.9rem; min-height: 1.45em; }
@container (max-width: 560px) { .status { min-height: 2.9em; } }

.slider { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: 0 0.75rem; align-items: baseline; }
.slider input { grid-column: 1 / -1; width: 100%; height: 1.6rem; margin: 0; accent-color: var(--state); }
.slider small { font-size: 0.88rem; }
.slider output { grid-area: 1 / 2; font-variant-numeric: tabular-nums; }
.buttons { display: flex; flex-wrap: wrap; gap: 0.5rem; }
button, select, input[type="text"] { font: inherit; color: var(--ink); background: var(--paper); min-height: 2.25rem;
  border: 1px solid var(--edge); border-radius: 6px; }
.field { display: grid; gap: 0.25rem; }
.field span { font-size: 0.88rem; color: var(--muted); }
.field :is(input, select) { width: 100%; min-height: 2.4rem; padding: 0.2rem 0.5rem; opacity: 1; }
input[aria-invalid="true"] { border: 2px solid var(--error); }
.wrong { color: var(--error); font-size: 0.88rem; min-height: 2.9em; }
button { cursor: pointer; min-width: 2.25rem; padding: 0.25rem 0.8rem; }
button:hover:not([aria-disabled="true"]) { background: var(--state-wash); }
button[aria-pressed="true"] { background: var(--state-wash); border-color: var(--state); color: var(--state); font-weight: 600; }
button[aria-disabled="true"] { color: var(--muted); border-style: dashed; cursor: default; }
button.name { min-height: 1.5rem; min-width: 0; padding: 0; border: 0; color: inherit; background: none; font-weight: inherit; }
button.name:disabled { cursor: default; }
button.name:not(:disabled, [aria-disabled="true"]) { text-decoration: underline; text-underline-offset: 0.15em; }
button.quiet { justify-self: start; border: 0; padding: 0; color: var(--muted); font-size: 0.9rem; text-decoration: underline; min-height: 1.75rem; }
:focus-visible { outline: 3px solid var(--state); outline-offset: 2px; }
.choice { display: flex; flex-wrap: wrap; gap: 0 1rem; align-items: center; }
.choice legend { padding: 0; font-size: 0.88rem; }
.choice label { display: inline-flex; gap: 0.4rem; align-items: center; min-height: 1.75rem; cursor: pointer; }
.choice input { accent-color: var(--state); width: 1.1rem; height: 1.1rem; margin: 0; }

summary { cursor: pointer; color: var(--muted); min-height: 1.75rem; font-size: 0.9rem; }
.scroll { max-height: 18rem; overflow: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
.numbers :is(th, td) { text-align: right; padding: 0.1rem clamp(0.3rem, 2cqi, 1rem); border-bottom: 1px solid var(--line); font-weight: 400; }
.bars { width: 100%; table-layout: fixed; font-size: 0.92rem; }
.bars :is(th, td) { padding: 0; text-align: right; font-weight: 400; white-space: nowrap; }
.bars thead th { font-size: 0.82rem; color: var(--muted); padding-bottom: 0.3rem; width: 6.2em; }
.bars thead th:last-child { width: 3.9em; }
.bars th:first-child { text-align: left; width: 7.4em; }
.bars tbody tr { height: 1.6rem; }
.bars .none { color: var(--muted); }
.bars .strong :is(th, td:nth-child(3)) { font-weight: 600; color: var(--output); }
.track { position: relative; height: 1rem; border-radius: 3px; background: var(--shade); }
.bar { height: 100%; width: 0; background: var(--output); border-radius: 3px; transition: width 0.25s ease-out; }
.mark { position: absolute; top: -0.16rem; bottom: -0.16rem; width: 3px; margin-left: -2px; background: var(--ink);
  border: solid var(--paper); border-width: 0 1px; box-sizing: content-box; transition: left 0.25s ease-out; }
.key { display: inline-block; width: 1.2em; height: 0.7em; margin-right: 0.25em; }
.key.mark { position: static; width: 3px; height: 1em; margin-left: 0; vertical-align: -0.15em; }

svg text { font-size: 13px; }
svg .symbol { fill: var(--muted); text-anchor: middle; }
svg :is(rect, circle) { stroke-width: 1.25; }
svg .wire { fill: none; stroke: var(--edge); stroke-width: 1.25; }
svg .tip { fill: var(--edge); }
.heat .above { fill: var(--lstm); }
.heat .below { fill: var(--state); }
[data-drag] { cursor: ns-resize; touch-action: none; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
@media (prefers-reduced-motion: reduce) { .bar, .mark { transition: none; } }
@media (forced-colors: active) {
  .track { outline: 1px solid GrayText; }
  .bar, .mark { forced-color-adjust: none; background: CanvasText; border-color: Canvas; }
}
`;
