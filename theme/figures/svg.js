// What figures are made of: elements, native controls with a label and a value in sight, bars,
// columns of colour, arrows, and parts of a drawing that can be dragged.

const SVG = "http://www.w3.org/2000/svg";

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return element;
}

/** An HTML element: `html("p", { class: "told" }, "text", child, …)`; `onclick: f` listens. */
export function html(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** An SVG element, called as `html` is. */
export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

/** Put these children in place of those that an element has. */
export function put(element, ...children) {
  element.replaceChildren();
  return fill(element, {}, children);
}

/** A number as text of constant form: a real minus sign, and never "−0.00". */
export function number(value, digits = 2) {
  if (!Number.isFinite(value)) return value > 0 ? "∞" : value < 0 ? "−∞" : "?";
  if (Math.abs(value) >= 1e5) return value.toExponential(1).replace("e+", "e").replace("-", "−");
  const text = Math.abs(value).toFixed(digits);
  return value < 0 && Number(text) !== 0 ? "−" + text : text;
}

/** A share of 1 as whole per cent. */
export const percent = (share) => `${Math.round(100 * share)}%`;

// Controls. Each returns `{ element, set(value), … }`; `set` does not call the listener.

/** A slider; `label` is text or an element, `onInput(value)` hears each move. */
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
 * A row of buttons, named as a group: `buttonRow("Time", [{ label, onClick }, …])`. Those with
 * `pressed` true or false can be marked: `set(2)` presses the third alone, `set(-1)` none.
 */
export function buttonRow(name, entries) {
  const buttons = entries.map(({ label, onClick, pressed }) =>
    html("button", { type: "button", onclick: onClick, "aria-pressed": pressed?.toString() }, label));
  return {
    element: html("div", { class: "buttons", role: "group", "aria-label": name }, buttons),
    buttons,
    set(index) { buttons.forEach((button, i) => button.setAttribute("aria-pressed", i === index)); },
  };
}

/** A button that is on or off, and says so. */
export function toggle({ label, on = false, onChange }) {
  const button = html("button", { type: "button", onclick: () => { set(!on); onChange(on); } }, label);
  function set(next) { on = next; button.setAttribute("aria-pressed", on); }
  set(on);
  return { element: button, set };
}

/** One of a few: radio buttons under a legend. `options` is `[[value, label], …]`. */
export function choice({ legend, options, value, onChange }) {
  // a name is private to its shadow root, but a figure may hold several choices
  const name = "choice-" + legend.toLowerCase().replace(/\W+/g, "-");
  const inputs = options.map(([key]) =>
    html("input", { type: "radio", name, value: key, checked: key === value, onchange: () => onChange(key) }));
  return {
    element: html("fieldset", { class: "choice" }, html("legend", {}, legend),
      options.map(([, label], i) => html("label", {}, inputs[i], label))),
    set(next) { for (const input of inputs) input.checked = input.value === next; },
  };
}

/** A folded table of all numbers: `fill(["step", "h"], [[1, "0.76"], …])`, the first column names rows. */
export function numbers(summary) {
  const table = html("table", { class: "numbers" });
  return {
    element: html("details", {}, html("summary", {}, summary),
      // it scrolls in its own box, and whoever has no mouse scrolls it by keys
      html("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": summary }, table)),
    fill(head, rows) {
      const cells = (row) => row.map((text, i) => html(i ? "td" : "th", i ? {} : { scope: "row" }, text));
      put(table,
        html("thead", {}, html("tr", {}, head.map((text) => html("th", { scope: "col" }, text)))),
        html("tbody", {}, rows.map((row) => html("tr", {}, cells(row)))));
    },
  };
}

// Drawings

/** A letter with its index, for a page: ("x", "t") is x with a lowered t. */
export function symbol(letter, index = "") {
  return html("span", { class: "math" }, html("i", {}, letter), index === "" ? null : html("sub", {}, index));
}

/** The same inside a drawing, where an index is lowered by hand. */
export function label(letter, index, x, y) {
  return svg("text", { class: "symbol", x, y },
    svg("tspan", { "font-style": "italic" }, letter), svg("tspan", { class: "index", dy: 3 }, index));
}

/** A line along `path` with a tip at (x, y) that points `degrees` from the right. */
export function arrow(path, x, y, degrees) {
  const turned = `translate(${x} ${y}) rotate(${degrees})`;
  return [svg("path", { class: "wire", d: path }),
    svg("path", { class: "tip", d: "M0 0 L-7 3.5 L-7 -3.5 Z", transform: turned })];
}

/**
 * Vectors as columns of colour, blue below zero and orange above, as rnnlib.plot.heatmap has them:
 * the value ±1 is full colour. Eight shades a sign, so that a drawing of thousands of cells is
 * sixteen paths. `columns` is an array of vectors, each drawn in a cell of `width` × `height`.
 */
export function heat(columns, { width, height }) {
  const shades = 8, paths = new Map();
  columns.forEach((column, i) => column.forEach((value, j) => {
    const shade = Math.min(shades, Math.round(Math.abs(value) * shades));
    if (!shade) return;
    const key = `${value < 0 ? "below" : "above"} ${shade}`, cell = `M${i * width} ${j * height}h${width}v${height}h${-width}z`;
    paths.set(key, (paths.get(key) ?? "") + cell);
  }));
  return svg("g", { class: "heat" }, [...paths].map(([key, d]) => {
    const [sign, shade] = key.split(" ");
    return svg("path", { class: sign, d, "fill-opacity": shade / shades });
  }));
}

/**
 * Parts of a drawing that are dragged up and down: whatever lies in it with `data-drag="name"`.
 * `start(name)` hears the press; `move(name, pixels, event)` how far up the pointer is since then,
 * at each move and at the end. The parts may be drawn anew meanwhile. Whoever cannot drag needs a
 * control beside the drawing that does the same.
 */
export function drag(drawing, { start = () => {}, move }) {
  let held = null;
  const part = (event) => event.target.closest("[data-drag]");
  const follow = (event) => held && move(held.name, held.from - event.clientY, event);
  drawing.addEventListener("pointerdown", (event) => {
    if (!part(event) || event.button) return;
    event.preventDefault(); // no text is selected
    drawing.setPointerCapture(event.pointerId);
    held = { name: part(event).dataset.drag, from: event.clientY };
    start(held.name);
  });
  // A finger on such a part does not scroll the page; inside an <svg>, touch-action does not see to
  // that. This comes after pointerdown, which must leave the part in its place until then.
  drawing.addEventListener("touchstart", (event) => {
    if (part(event)) event.preventDefault();
  }, { passive: false });
  drawing.addEventListener("pointermove", follow);
  drawing.addEventListener("pointerup", (event) => { follow(event); held = null; });
  drawing.addEventListener("pointercancel", () => { held = null; });
}

/**
 * A table of shares as bars, with a mark on each for a second share: `bars("next word", ["network",
 * "best"], 13)` keeps 13 rows. `set([{ name, share, mark, strong, pressed }, …], { title, picking })`
 * fills them; a share or mark that is null is left open. With `onPick` a row's name can be pressed
 * while `picking`, and `onPick(i)` hears it.
 */
export function bars(caption, [first, second], length, { onPick } = {}) {
  const rows = Array.from({ length }, (_, i) => {
    const name = onPick ? html("button", { type: "button", class: "name", onclick: () => onPick(i) }) : html("span");
    const bar = html("div", { class: "bar" }), mark = html("div", { class: "mark" });
    const cells = [html("td"), html("td")];
    const row = html("tr", {}, html("th", { scope: "row" }, name),
      html("td", { "aria-hidden": "true", class: "graph" }, html("div", { class: "track" }, bar, mark)), cells);
    return { row, name, bar, mark, cells };
  });
  const head = html("th", { scope: "col" });
  const key = (kind) => html("span", { class: `key ${kind}`, "aria-hidden": "true" });
  const table = html("table", { class: "bars" },
    html("thead", {}, html("tr", {}, head, html("td"),
      html("th", { scope: "col" }, key("bar"), first), html("th", { scope: "col" }, key("mark"), second))),
    html("tbody", {}, rows.map(({ row }) => row)));
  function set(entries, { title = caption, picking = false } = {}) {
    head.textContent = title;
    const picked = entries.some(({ pressed }) => pressed);
    rows.forEach(({ row, name, bar, mark, cells }, i) => {
      const { name: text = "–", share = null, mark: other = null, strong = false, pressed = null } = entries[i] ?? {};
      name.textContent = text;
      name.disabled = !picking;
      if (onPick) name.setAttribute("aria-disabled", picked); // not `disabled`, which would lose the focus
      if (pressed === null) name.removeAttribute("aria-pressed");
      else name.setAttribute("aria-pressed", pressed);
      row.classList.toggle("strong", strong);
      bar.style.width = `${100 * (share ?? 0)}%`;
      mark.style.left = `${100 * (other ?? 0)}%`;
      mark.hidden = !other;
      [share, other].forEach((value, k) => {
        cells[k].textContent = value === null ? "–" : percent(value);
        cells[k].classList.toggle("none", value === null || percent(value) === "0%");
      });
    });
  }
  set([]);
  return { element: table, set };
}
