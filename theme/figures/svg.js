// What the live figures share: making elements, native controls with a visible label and value,
// and the book's colours. Each figure is a custom element with a shadow root, so that the site's
// styles and the figure's do not meet; colours arrive through CSS variables, which do pass.

const SVG = "http://www.w3.org/2000/svg";

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** An HTML element: `html("p", { class: "status" }, "text", child, …)`; `onclick: f` listens. */
export function html(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** An SVG element, called as `html` is. */
export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

/** A number as text of constant form: a real minus sign, and never "−0.00". */
export function number(value, digits = 2) {
  if (!Number.isFinite(value)) return value > 0 ? "∞" : value < 0 ? "−∞" : "?";
  if (Math.abs(value) >= 1e5) return value.toExponential(1).replace("e+", "e").replace("-", "−");
  const text = Math.abs(value).toFixed(digits);
  return value < 0 && Number(text) !== 0 ? "−" + text : text;
}

/** Does the reader ask for less motion? */
export function reducedMotion() {
  return window.matchMedia("(prefers-reduced-motion: reduce)").matches;
}

/**
 * A slider with its label and its value in sight.
 * `label` is text or an element, `onInput(value)` hears each move.
 * Returns `{ element, input, set(value) }`; `set` moves it without calling `onInput`.
 */
export function slider({ label, min, max, step, value, format = number, onInput }) {
  const output = html("output");
  const input = html("input", {
    type: "range", min, max, step, value,
    oninput: () => { show(); onInput(Number(input.value)); },
  });
  function show() {
    const text = format(Number(input.value));
    output.textContent = text;
    input.setAttribute("aria-valuetext", text);
  }
  show();
  return {
    element: html("label", { class: "slider" }, html("span", {}, label), input, output),
    input,
    set(next) { input.value = next; show(); },
  };
}

/**
 * A row of buttons, named as a group: `buttonRow("Time", [{ label, onClick, pressed }])`.
 * A button whose `pressed` is true or false is a toggle. Returns `{ element, buttons }`.
 */
export function buttonRow(name, entries) {
  const buttons = entries.map(({ label, onClick, pressed }) =>
    html("button", {
      type: "button", onclick: onClick,
      "aria-pressed": pressed === undefined ? null : String(pressed),
    }, label));
  return { element: html("div", { class: "buttons", role: "group", "aria-label": name }, ...buttons), buttons };
}

/**
 * One of a few: radio buttons under a legend. `options` is `[[value, label], …]`.
 * Returns `{ element, set(value) }`.
 */
export function choice({ legend, options, value, onChange }) {
  // a name is private to its shadow root, but a figure may hold several choices
  const name = "choice-" + legend.toLowerCase().replace(/\W+/g, "-");
  const inputs = options.map(([key]) =>
    html("input", { type: "radio", name, value: key, checked: key === value, onchange: () => onChange(key) }));
  return {
    element: html("fieldset", { class: "choice" }, html("legend", {}, legend),
      ...options.map(([, label], i) => html("label", {}, inputs[i], label))),
    set(next) { for (const input of inputs) input.checked = input.value === next; },
  };
}

/** The styles every figure starts from. The colours are those of rnnlib/tokens.css. */
const BASE = `
:host {
  display: block; position: relative; container-type: inline-size; max-width: 800px; margin: 1.5rem auto;
  color: var(--ink); font-size: 0.95rem; line-height: 1.45;
}
:host([hidden]) { display: none; }
* { box-sizing: border-box; }
figure, fieldset, p { margin: 0; padding: 0; border: 0; min-width: 0; }
.card { border: 1px solid var(--line); border-radius: 10px; background: var(--paper); padding: 1rem; }
svg { display: block; width: 100%; height: auto; font-family: inherit; fill: currentColor; }
sub { font-size: 0.75em; line-height: 0; }
.math { font-family: "KaTeX_Main", "STIX Two Text", Georgia, "Times New Roman", serif; }
.number { font-variant-numeric: tabular-nums; }
.slider { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: 0 0.75rem; align-items: baseline; }
.slider input { grid-column: 1 / -1; width: 100%; height: 1.6rem; margin: 0; accent-color: var(--state); }
.slider small { font-size: 0.88rem; }
.slider output { grid-area: 1 / 2; font-variant-numeric: tabular-nums; }
.buttons { display: flex; flex-wrap: wrap; gap: 0.5rem; }
button {
  font: inherit; color: var(--ink); background: var(--paper); cursor: pointer;
  min-height: 2.25rem; min-width: 2.25rem; padding: 0.25rem 0.8rem;
  border: 1px solid var(--edge); border-radius: 6px;
}
button:hover:not([aria-disabled="true"]) { background: var(--state-wash); }
button[aria-pressed="true"] { background: var(--input-wash); border-color: var(--input); color: var(--input); font-weight: 600; }
button[aria-disabled="true"] { color: var(--muted); border-style: dashed; cursor: default; }
button:focus-visible, input:focus-visible { outline: 3px solid var(--state); outline-offset: 2px; }
.choice { display: flex; flex-wrap: wrap; gap: 0 1rem; align-items: center; }
.choice legend { padding: 0; font-size: 0.88rem; }
.choice label { display: inline-flex; gap: 0.4rem; align-items: center; min-height: 1.75rem; cursor: pointer; }
.choice input { accent-color: var(--state); width: 1.1rem; height: 1.1rem; margin: 0; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
`;

/** Give a custom element its shadow root, with the base styles and its own. Returns the root. */
export function attach(element, css = "") {
  // the element's own text stands in the page until this moment, and wherever no script runs
  const root = element.shadowRoot ?? element.attachShadow({ mode: "open" });
  root.replaceChildren(html("style", {}, BASE + css));
  return root;
}
