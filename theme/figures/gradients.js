// room: 42.6rem, 50.3rem, 74.3rem
// <unrolled-gradients>: two recurrent units, the eigenvalues of their W_h in the plane, and the norm of
// the gradient over forty steps back. The reader sets W_h, or its spectral radius, and guesses first.

import { Figure, oneOf, within } from "./figure.js";
import { rnnStep, unroll } from "./network.js";
import { buttonRow, choice, html, number, numbers, put, slider, svg, symbol, toggle } from "./svg.js";

const LAGS = 40, LIMIT = 3, POWERS = 12;
const X = Array.from({ length: LAGS + 1 }, (_, t) => 0.5 * Math.sin(1.7 * t));
const W_X = [[1], [0.5]];

/** Eigenvalues of ((a, b), (c, d)) as [re, im], the larger first; spectral radius; largest singular value. */
export function analyse([[a, b], [c, d]]) {
  const mean = (a + d) / 2, root = ((a - d) / 2) ** 2 + b * c, size = Math.sqrt(Math.abs(root));
  const eigenvalues = root < 0 ? [[mean, size], [mean, -size]]
    : [mean + size, mean - size].sort((one, other) => Math.abs(other) - Math.abs(one)).map((value) => [value, 0]);
  const all = a * a + b * b + c * c + d * d, det = a * d - b * c;
  const sigma = Math.sqrt((all + Math.sqrt(Math.max(0, all * all - 4 * det * det))) / 2);
  return { eigenvalues, radius: Math.hypot(...eigenvalues[0]), sigma };
}

/**
 * The norm of dh at each lag, relative to lag 0, for two units that read x, one number a step. The
 * loss asks the same of both units after the last step. `f` is "tanh", or "straight": slope 1 everywhere.
 */
export function compute({ W_h, f, x }) {
  const states = unroll((x_t, state) => rnnStep({ W_x: W_X, W_h, b: [0, 0] }, [x_t], state), x);
  let dh = [Math.SQRT1_2, Math.SQRT1_2];
  const norms = [1];
  for (let t = x.length - 1; t > 0; t--) {
    const dz = dh.map((value, i) => (f === "tanh" ? value * (1 - states[t].h[i] ** 2) : value));
    dh = [0, 1].map((j) => dz[0] * W_h[0][j] + dz[1] * W_h[1][j]);
    norms.push(Math.hypot(...dh));
  }
  return norms;
}

const EXAMPLES = {
  "Fading": [0.7, 0.2, 0.1, 0.6],
  "Turning": [0.71, -0.71, 0.71, 0.71],
  "Detour": [0.8, 2, 0, 0.6],
  "Growing": [1.1, 0.3, 0.4, 0.9],
};
const NAMES = Object.keys(EXAMPLES);
const GUESSES = ["vanishes", "stays", "explodes"];
const outcome = (norm) => GUESSES[norm < 1e-3 ? 0 : norm > 1e3 ? 2 : 1];
const round = (value) => Math.round(100 * value) / 100;
const matrix = ([a, b, c, d]) => [[a, b], [c, d]];

const SUPER = Object.fromEntries([..."-0123456789"].map((sign, i) => [sign, "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"[i]]));
const power = (exponent) => `10${[...`${exponent}`].map((sign) => SUPER[sign]).join("")}`;
const show = (value) => (value === 0 || (value >= 0.01 && value < 1e4) ? number(value)
  : value.toExponential(1).replace("e+", "e").replace("-", "−"));

const CSS = `
.card { display: grid; gap: 0.7rem; }
.controls { display: grid; gap: 0.5rem 1.5rem; grid-template-columns: 1fr 1fr 1fr; align-items: start; }
.weights { display: grid; gap: 0.2rem 1rem; grid-template-columns: 1fr 1fr; grid-column: span 2; }
.guess { display: flex; flex-wrap: wrap; gap: 0.5rem 1rem; align-items: center; }
.status { min-height: 2.9em; }
svg .axis { stroke: var(--line); }
svg .zero { stroke: var(--edge); }
svg .circle { fill: var(--shade); stroke: var(--edge); }
svg .value { fill: var(--state); stroke: var(--paper); stroke-width: 2; }
svg .measured { fill: none; stroke: var(--rnn); stroke-width: 2.5; }
svg .bound { fill: none; stroke: var(--lstm); stroke-width: 1.5; stroke-dasharray: 6 4; }
svg .radius { fill: none; stroke: var(--baseline); stroke-width: 1.5; stroke-dasharray: 2 3; }
svg text { font-size: 12px; fill: var(--muted); }
svg .title { fill: var(--ink); font-size: 13px; }
svg .left { text-anchor: end; }
svg .middle { text-anchor: middle; }
@container (max-width: 560px) {
  .controls { grid-template-columns: 1fr 1fr; }
  .whole { grid-column: span 2; }
  .controls output { min-width: 2.8em; text-align: right; }
  .status { min-height: 5.8em; }
}
@container (max-width: 420px) { .status { min-height: 7.25em; } }
@container (max-width: 340px) { .status { min-height: 8.7em; } }
`;

class Gradients extends Figure {
  static css = CSS;
  static address = {
    example: oneOf(...NAMES.map((name) => name.toLowerCase())), f: oneOf("tanh", "straight"), guess: oneOf("on"),
    w(text, name) {
      const w = text.split("/").map((part) => within(-LIMIT, LIMIT)(part, name));
      if (w.length === 4) return w.map(round);
      throw new RangeError(`w has ${w.length} numbers, but must have 4`);
    },
  };
  w = EXAMPLES[NAMES[0]]; // row by row
  shape = this.w; // what the slider of the radius makes larger and smaller
  f = "tanh";
  guess = { on: false, made: null };

  build() {
    this.drawing = svg("svg", { role: "img" });
    this.examples = buttonRow("Examples", NAMES.map((name) => ({
      label: name, pressed: false, onClick: () => this.change(EXAMPLES[name]),
    })));
    this.weights = ["11", "12", "21", "22"].map((at, k) => slider({
      label: symbol("w", at), min: -LIMIT, max: LIMIT, step: 0.01, value: this.w[k],
      onInput: (value) => this.change(this.w.map((old, i) => (i === k ? value : old))),
    }));
    this.radius = slider({
      label: html("span", {}, "spectral radius ", symbol("ρ")), min: 0.2, max: 2, step: 0.01, value: 1,
      onInput: (value) => this.scale(value),
    });
    this.activation = choice({
      legend: "Activation function", options: [["tanh", "tanh"], ["straight", "none (slope 1)"]], value: this.f,
      onChange: (f) => { this.f = f; this.change(this.w); },
    });
    this.guessing = toggle({ label: "Guess first", onChange: (on) => {
      this.guess = { on, made: null };
      this.update();
    } });
    this.guesses = buttonRow("Over forty steps back, the gradient", GUESSES.map((label) => ({
      label, pressed: false, onClick: () => { this.guess.made = label; this.update(); },
    })));
    this.table = numbers("All numbers as a table");
    return [
      this.examples.element,
      this.drawing,
      html("div", { class: "guess" }, this.guessing.element, this.guesses.element),
      html("div", { class: "controls" },
        html("div", { class: "weights" }, this.weights.map(({ element }) => element)),
        html("div", { class: "whole" }, this.radius.element, this.activation.element)),
      this.status,
      this.table.element,
    ];
  }

  change(w) {
    this.w = this.shape = w;
    this.guess.made = null;
    this.update();
  }

  /** Multiply W_h by a number that gives it this spectral radius, as far as the sliders reach. */
  scale(radius) {
    const now = analyse(matrix(this.shape)).radius, largest = Math.max(...this.shape.map(Math.abs));
    if (now > 1e-6) this.w = this.shape.map((value) => round(value * Math.min(radius / now, LIMIT / largest)));
    this.guess.made = null;
    this.update();
  }

  get secret() { return this.guess.on && !this.guess.made; }

  get setting() {
    const setting = {}, example = NAMES.find((name) => `${EXAMPLES[name]}` === `${this.w}`);
    if (!example) setting.w = this.w.join("/");
    else if (example !== NAMES[0]) setting.example = example.toLowerCase();
    if (this.f !== "tanh") setting.f = this.f;
    if (this.guess.on) setting.guess = "on";
    return setting;
  }

  set setting({ example = NAMES[0].toLowerCase(), w, f = "tanh", guess }) {
    this.w = this.shape = w ?? EXAMPLES[NAMES.find((name) => name.toLowerCase() === example)];
    this.f = f;
    this.guess = { on: guess === "on", made: null };
  }

  render(width) {
    const W_h = matrix(this.w), { eigenvalues, radius, sigma } = analyse(W_h);
    const norms = compute({ W_h, f: this.f, x: X });
    this.examples.set(NAMES.findIndex((name) => `${EXAMPLES[name]}` === `${this.w}`));
    this.weights.forEach(({ set }, k) => set(this.w[k]));
    this.radius.set(radius);
    this.activation.set(this.f);
    this.guessing.set(this.guess.on);
    this.guesses.element.style.visibility = this.guess.on ? "visible" : "hidden";
    this.guesses.set(GUESSES.indexOf(this.guess.made));
    this.tell(norms, eigenvalues, radius, sigma);
    const wide = width > 520, side = wide ? 230 : Math.min(width, 230), height = wide ? 284 : side + 328;
    this.drawing.setAttribute("viewBox", `0 0 ${width} ${height}`);
    put(this.drawing, this.plane(wide ? 0 : (width - side) / 2, side, eigenvalues),
      this.curves(wide ? side + 56 : 46, wide ? 24 : side + 66, width - (wide ? side + 64 : 54), 200, norms, radius, sigma));
  }

  tell(norms, eigenvalues, radius, sigma) {
    const last = norms[LAGS], [re, im] = eigenvalues[0], size = `${number(radius)}, the largest singular value is ${number(sigma)}`;
    const which = im ? `a pair that turns, ${number(re)} ± ${number(Math.abs(im))} i` : `${number(re)} and ${number(eigenvalues[1][0])}`;
    const right = this.guess.made === outcome(last) ? "Right" : "Not so";
    const found = `At lag ${LAGS} the norm is ${show(last)} of what it was: the gradient ${outcome(last)}.`;
    const peak = Math.max(...norms), detour = peak > 1.5 && last < 0.5 ? ` On the way it was up to ${show(peak)}.` : "";
    this.say(`The spectral radius is ${size}. ` + (this.secret
      ? "Does the gradient vanish, stay or explode over forty steps back?"
      : (this.guess.on ? `${right}. ` : "") + found + detour));
    this.drawing.setAttribute("aria-label", `The eigenvalues of W_h in the plane: ${which}. Beside them ` +
      (this.secret ? "the norm of the gradient over the lag, hidden until you guess."
        : `the norm of the gradient at lags 1, 10, 20 and ${LAGS}: ${[1, 10, 20, LAGS].map((k) => show(norms[k])).join(", ")}.`));
    const known = (value) => (this.secret ? "–" : show(value));
    this.table.fill(["lag", "norm", "σ to the power of the lag", "ρ to the power of the lag"], norms.map((norm, k) =>
      [k, known(norm), known(sigma ** k), known(radius ** k)]));
  }

  /** The plane of complex numbers, with the unit circle and the eigenvalues. */
  plane(left, side, eigenvalues) {
    const reach = 2.1, middle = side / 2, unit = (side - 10) / 2 / reach;
    const at = (value) => Math.min(Math.max(value, -reach), reach) * unit;
    const cx = left + middle, cy = 24 + middle;
    return svg("g", {},
      svg("text", { class: "title middle", x: cx, y: 13 }, "eigenvalues of ",
        svg("tspan", { "font-style": "italic" }, "W"), svg("tspan", { class: "index", dy: 3 }, "h")),
      svg("circle", { class: "circle", cx, cy, r: unit }),
      svg("path", { class: "zero", d: `M${left + 4} ${cy}H${left + side - 4}M${cx} ${28}V${20 + side}` }),
      svg("text", { x: cx + unit + 4, y: cy + 14 }, "1"),
      svg("text", { x: cx + 5, y: cy - unit - 4 }, "i"),
      eigenvalues.map(([re, im]) => svg("circle", { class: "value", cx: cx + at(re), cy: cy - at(im), r: 6 })));
  }

  /** The norm over the lag, the bound and the prediction, on a logarithmic axis. */
  curves(left, top, width, height, norms, radius, sigma) {
    const x = (k) => left + (k / LAGS) * width;
    const y = (value) => top + height / 2 - (Math.min(Math.max(Math.log10(value), -POWERS), POWERS) / POWERS) * (height / 2);
    const inside = (values) => values.findIndex((value) => !(Math.abs(Math.log10(value)) <= POWERS)) + 1 || values.length;
    const line = (kind, values) => svg("path", { class: kind,
      d: "M" + values.slice(0, inside(values)).map((value, k) => `${x(k).toFixed(1)} ${y(value).toFixed(1)}`).join("L") });
    const powers = [-12, -8, -4, 0, 4, 8, 12], bounds = (base) => norms.map((_, k) => base ** k);
    const key = (kind, text, at) => [svg("path", { class: kind, d: `M${at} ${top + height + 42}h22` }),
      svg("text", { x: at + 27, y: top + height + 46 }, text)];
    return svg("g", {},
      svg("text", { class: "title middle", x: left + width / 2, y: top - 11 }, "norm of the gradient, relative"),
      powers.map((exponent) => [svg("path", { class: exponent ? "axis" : "zero", d: `M${left} ${y(10 ** exponent)}H${left + width}` }),
        svg("text", { class: "left", x: left - 6, y: y(10 ** exponent) + 4 }, power(exponent))]),
      [0, 10, 20, 30, 40].map((k) => svg("text", { class: "middle", x: x(k), y: top + height + 16 }, `${k}`)),
      svg("text", { class: "middle", x: left + width / 2, y: top + height + 30 }, "lag"),
      this.secret ? svg("text", { class: "title middle", x: left + width / 2, y: top + height / 4 }, "Guess first.")
        : [line("bound", bounds(sigma)), line("radius", bounds(radius)), line("measured", norms)],
      key("measured", "measured", left - 30), key("bound", "bound σᵏ", left + 70), key("radius", "ρᵏ", left + 165));
  }
}

Gradients.define("gradients");
