// room: 33.4rem, 34.7rem, 38.2rem
// <unrolled-bptt>: one tanh unit over six steps, and the gradient that flows back through it. The
// reader says at which steps a loss is, moves the weight, cuts the way back, and lets it flow.

import { Figure, oneOf, player, within } from "./figure.js";
import { rnnStep, unroll } from "./network.js";
import { arrow, label, number, numbers, slider, svg, toggle } from "./svg.js";

const X = [1, -0.5, 0.8, 0, 0.6, -0.4], T = X.length;
const EXAMPLE = { w_h: 0.8, losses: "000001", cut: 1 };

/**
 * The states, and what comes back to them. Where `losses` has a 1 the loss is h_t itself, so that the
 * direct part of its gradient is 1. Nothing passes from step `cut` to the one before (1: all passes).
 */
export function compute({ w_h, losses, cut = 1, x = X }) {
  const cell = { W_x: [[1]], W_h: [[w_h]], b: [0] };
  const h = unroll((x_t, state) => rnnStep(cell, [x_t], state), x).map((state) => state.h[0]);
  const dh = h.map(() => 0), share = h.map(() => 0);
  let fromAfter = 0;
  for (let t = h.length - 1; t >= 0; t--) {
    dh[t] = Number(losses[t]) + fromAfter;
    const dz = dh[t] * (1 - h[t] ** 2);
    share[t] = dz * (t ? h[t - 1] : 0);
    fromAfter = t + 1 === cut ? 0 : dz * w_h;
  }
  return { h, dh, share, dw_h: share.reduce((a, b) => a + b, 0) };
}

class Bptt extends Figure {
  static css = `
    .cell { fill: var(--state-wash); stroke: var(--state); }
    .loss { fill: transparent; stroke: var(--edge); stroke-dasharray: 3 3; cursor: pointer; }
    .loss.on { fill: var(--output-wash, none); stroke: var(--output); stroke-dasharray: none; }
    .symbol { pointer-events: none; }
    .back { stroke: var(--lstm); fill: none; stroke-linecap: round; }
    .backtip { fill: var(--lstm); }
    .share { fill: var(--lstm); }
    .axis { stroke: var(--line); }
    .cut { stroke: var(--ink); stroke-dasharray: 5 4; }
    .value { text-anchor: middle; font-variant-numeric: tabular-nums; }
    .small { font-size: 12px; fill: var(--muted); text-anchor: middle; }
    .caption { text-anchor: start; }
    .controls { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: 0.5rem 1.25rem; margin: 0.75rem 0; }
    .losses { display: flex; flex-wrap: wrap; gap: 0.35rem; align-items: center; margin-top: 0.5rem; }
    .losses button { min-width: 2.1rem; padding: 0.25rem 0.4rem; }
    .losses span { font-size: 0.88rem; }
    .status { min-height: 2.9em; }
    @container (max-width: 420px) { .status { min-height: 4.4em; } }`;
  static address = { w_h: within(-1.5, 1.5), cut: within(1, T), losses: oneOf(...everyChoice()) };
  w_h = EXAMPLE.w_h;
  losses = EXAMPLE.losses;
  cut = EXAMPLE.cut;

  build() {
    this.drawing = svg("svg", { role: "img" });
    this.player = player({ T, label: "The way back", onMove: () => this.update() });
    this.toggles = X.map((_, t) => toggle({
      label: `${t + 1}`, on: this.losses[t] === "1",
      onChange: (on) => { this.losses = this.losses.slice(0, t) + Number(on) + this.losses.slice(t + 1); this.update(); },
    }));
    this.toggles.forEach(({ element }, t) => element.setAttribute("aria-label", `Loss at step ${t + 1}`));
    this.weight = slider({
      label: "recurrent weight w_h", min: -1.5, max: 1.5, step: 0.1, value: this.w_h,
      onInput: (value) => { this.w_h = value; this.update(); },
    });
    this.cutter = slider({
      label: "cut the way back before step", min: 1, max: T, step: 1, value: this.cut,
      format: (value) => (value === 1 ? "no cut" : `${value}`),
      onInput: (value) => { this.cut = value; this.update(); },
    });
    this.table = numbers("All numbers");
    const row = document.createElement("div"), losses = document.createElement("div");
    losses.className = "losses";
    losses.role = "group";
    losses.ariaLabel = "Steps with a loss";
    const text = document.createElement("span");
    text.textContent = "A loss at step";
    losses.append(text, ...this.toggles.map(({ element }) => element));
    row.className = "controls";
    row.append(this.weight.element, this.cutter.element);
    return [this.drawing, this.player.element, losses, row, this.status, this.table.element];
  }

  render(width) {
    const { h, dh, share, dw_h } = compute(this);
    const back = this.player.t, seen = (t) => t >= T - back; // which steps the gradient has reached
    const step = width / T, box = Math.min(step * 0.62, 64), mid = (t) => step * (t + 0.5), height = 250;
    const scale = 28 / Math.max(1, ...share.map(Math.abs));
    const parts = [];
    parts.push(svg("line", { class: "axis", x1: 0, x2: width, y1: 206, y2: 206 }),
      svg("text", { class: "small caption", x: 0, y: 176 }, "each step's share of the gradient of w_h"));
    h.forEach((value, t) => {
      const x = mid(t), on = this.losses[t] === "1";
      parts.push(
        pressed(svg("rect", { class: on ? "loss on" : "loss", x: x - 15, y: 6, width: 30, height: 24, rx: 5 }), this.toggles[t]),
        on ? label("L", t + 1, x - 2, 22) : null,
        svg("rect", { class: "cell", x: x - box / 2, y: 66, width: box, height: 34, rx: 7 }),
        svg("text", { class: "value", x, y: 88 }, number(value)),
        arrow(`M${x} 140V106`, x, 101, -90),
        svg("text", { class: "small", x, y: 155 }, `x = ${number(X[t], 1)}`),
        t ? arrow(`M${mid(t - 1) + box / 2} 76H${x - box / 2 - 6}`, x - box / 2 - 1, 76, 0) : null,
      );
      if (on && seen(t)) parts.push(flow(`M${x} 33V58`, x, 65, 90, 1));
      if (t && seen(t) && t + 1 !== this.cut) {
        const passed = dh[t] * (1 - value ** 2) * this.w_h;
        parts.push(flow(`M${x - box / 2} 92H${mid(t - 1) + box / 2 + 8}`, mid(t - 1) + box / 2 + 1, 92, 180, passed));
      }
      if (seen(t)) {
        const tall = Math.abs(share[t]) * scale;
        parts.push(
          svg("rect", { class: "share", x: x - box / 4, width: box / 2, height: tall, y: share[t] > 0 ? 206 - tall : 206 }),
          svg("text", { class: "value", x, y: 246 }, number(share[t])),
        );
      }
      if (t + 1 === this.cut && this.cut > 1) parts.push(svg("line", { class: "cut", x1: x - step / 2, x2: x - step / 2, y1: 40, y2: 120 }));
    });
    this.drawing.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.drawing.replaceChildren(...parts.flat().filter(Boolean));
    this.drawing.setAttribute("aria-label", `Six steps of one tanh unit; below each, its share of the gradient of w_h. ${this.#story(dh, share, dw_h)}`);
    this.say(this.#story(dh, share, dw_h));
    const known = (values) => values.map((value, t) => (seen(t) ? number(value) : "–"));
    this.table.fill(["step", "x", "h", "dh", "share"], h.map((value, t) =>
      [t + 1, number(X[t]), number(value), known(dh)[t], known(share)[t]]));
  }

  #story(dh, share, dw_h) {
    const back = this.player.t;
    if (!this.losses.includes("1")) return "There is no loss, so there is no gradient.";
    if (back === 0) return "The network has read its six inputs. Press Step: the error flows back from the right.";
    const t = T - back;
    if (back < T) return `At step ${t + 1} the gradient dh is ${number(dh[t])}. Its share in the gradient of w_h is ${number(share[t])}.`;
    return `At step 1 the gradient dh is ${number(dh[0])}. All shares add up to ${number(dw_h)}, the gradient of w_h.`;
  }

  get setting() {
    const changed = Object.entries(EXAMPLE).filter(([name, value]) => this[name] !== value);
    return Object.fromEntries(changed.map(([name]) => [name, this[name]]));
  }

  set setting(setting) {
    Object.assign(this, EXAMPLE, setting);
    this.cut = Math.round(this.cut);
    this.weight.set(this.w_h);
    this.cutter.set(this.cut);
    this.toggles.forEach(({ set }, t) => set(this.losses[t] === "1"));
  }
}

/** A box in the drawing that does what its button below does. */
function pressed(box, { element }) {
  box.addEventListener("click", () => element.click());
  return box;
}

/** An orange arrow, as thick as the gradient is large. */
function flow(path, x, y, degrees, gradient) {
  const size = Math.min(6, 1 + 4 * Math.abs(gradient));
  if (gradient === 0) return null;
  return [svg("path", { class: "back", d: path, "stroke-width": size }),
    svg("path", { class: "backtip", d: `M0 0 L-9 ${3 + size / 2} L-9 ${-3 - size / 2} Z`, transform: `translate(${x} ${y}) rotate(${degrees})` })];
}

/** Which of six steps have a loss, as it stands in an address: 000000 to 111111. */
function everyChoice() {
  return Array.from({ length: 2 ** T }, (_, k) => k.toString(2).padStart(T, "0"));
}

Bptt.define("bptt");
