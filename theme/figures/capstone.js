// room: 27.8rem, 35.6rem, 37rem
// <unrolled-capstone>: two sides are tried, each as often as the reader says, and the best of each is
// chosen on validation. How often does the recurrent side look better, and what does the test say?

import { Figure, within } from "./figure.js";
import { buttonRow, html, number, slider, svg } from "./svg.js";

const END = 9, STEP = 0.002, GRID = Array.from({ length: 1 + 2 * END / STEP }, (_, i) => i * STEP - END);
const DENSITY = GRID.map((x) => Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI));
const ABOVE = DENSITY.slice(); // the share of normal numbers above x
ABOVE[ABOVE.length - 1] = 0;
for (let i = ABOVE.length - 2; i >= 0; i--) ABOVE[i] = ABOVE[i + 1] + STEP * (DENSITY[i] + DENSITY[i + 1]) / 2;

/** The share of normal numbers above x. */
function above(x) {
  const place = Math.min(Math.max((x + END) / STEP, 0), GRID.length - 1.001), i = Math.floor(place);
  return ABOVE[i] + (place - i) * (ABOVE[i + 1] - ABOVE[i]);
}

/**
 * Losses of trials scatter with deviation 1 around what a side is worth: 0, and `-gain` for the
 * recurrent side. `wins`: how often the best of `recurrent` trials lies below the best of `baseline`
 * trials; `flatters`: how far below its own worth the best of each lies on average.
 */
export function compute({ baseline, recurrent, gain }) {
  const least = (n) => GRID.map((x, i) => n * DENSITY[i] * ABOVE[i] ** (n - 1)); // density of the smallest
  const sum = (values) => STEP * values.reduce((total, value) => total + value, 0);
  return {
    wins: sum(least(recurrent).map((density, i) => density * above(GRID[i] - gain) ** baseline)),
    flatters: [baseline, recurrent].map((n) => -sum(least(n).map((density, i) => density * GRID[i]))),
  };
}

/** Normal numbers, always the same for one `seed`: mulberry32, then Box and Muller. */
export function normals(count, seed) {
  let state = seed * 0x9e3779b9 >>> 0;
  const uniform = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (((t ^ (t >>> 14)) >>> 0) + 0.5) / 4294967296;
  };
  return Array.from({ length: count }, () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()));
}

const MOST = 50, FIRST = { baseline: 3, recurrent: 30, gain: 0, draw: 1 };
const SIDES = ["baseline", "recurrent"], ROW = 74, TOP = 16, LEFT = 6, SPAN = 4.5;

class Capstone extends Figure {
  static css = `
    .card { display: grid; gap: 0.6rem; }
    .controls { display: grid; gap: 0.3rem 1.5rem; grid-template-columns: 1fr 1fr 1fr; }
    .axis { stroke: var(--line); } .worth { stroke-width: 2; stroke-dasharray: 4 3; }
    svg .baseline { fill: var(--baseline); } svg .recurrent { fill: var(--lstm); }
    svg .worth.baseline { stroke: var(--baseline); } svg .worth.recurrent { stroke: var(--lstm); }
    svg .best { fill: var(--paper); stroke-width: 3; }
    svg .best.baseline { stroke: var(--baseline); } svg .best.recurrent { stroke: var(--lstm); }
    svg .name { font-size: 13px; } svg .scale { font-size: 12px; fill: var(--muted); }
    .middle { text-anchor: middle; } .end { text-anchor: end; }
    .status { min-height: 4.35em; }
    @container (max-width: 560px) { .controls { grid-template-columns: 1fr; } .status { min-height: 5.8em; } }
    @container (max-width: 420px) { .status { min-height: 7.25em; } }
    @container (max-width: 340px) { .status { min-height: 8.7em; } }`;
  static address = { baseline: within(1, MOST), recurrent: within(1, MOST), gain: within(-3, 3), draw: within(1, 999) };
  now = { ...FIRST };
  open = false;

  build() {
    const change = (name) => (value) => { this.now[name] = value; this.update(); };
    const tries = (side) => slider({ label: `trials, ${side}`, min: 1, max: MOST, step: 1, value: FIRST[side],
      format: (n) => `${n}`, onInput: change(side) });
    this.controls = {
      baseline: tries("baseline"), recurrent: tries("recurrent"),
      gain: slider({ label: "true gain", min: -3, max: 3, step: 0.1, value: FIRST.gain, format: (value) => number(value, 1),
        onInput: change("gain") }),
    };
    this.drawing = svg("svg", { role: "img", height: 2 * ROW + TOP + 34, "aria-label": "Losses of the trials of two sides" });
    this.buttons = buttonRow("The comparison", [
      { label: "Open the test", onClick: () => { this.open = !this.open; this.update(); } },
      { label: "Compare again", onClick: () => { this.now.draw = this.now.draw % 999 + 1; this.open = false; this.update(); } },
    ]);
    return [html("div", { class: "controls" }, SIDES.map((side) => this.controls[side].element), this.controls.gain.element),
      this.drawing, this.buttons.element, this.status];
  }

  /** The losses of the trials of each side on validation. */
  get losses() {
    const { baseline, recurrent, gain, draw } = this.now, drawn = normals(2 * MOST, draw);
    return { baseline: drawn.slice(0, baseline), recurrent: drawn.slice(MOST, MOST + recurrent).map((value) => value - gain) };
  }

  render(width) {
    const { gain } = this.now, { losses, open } = this, worth = { baseline: 0, recurrent: -gain };
    const x = (loss) => LEFT + (width - 2 * LEFT) * (Math.min(Math.max(loss, -SPAN), SPAN) + SPAN) / (2 * SPAN);
    const parts = SIDES.flatMap((side, row) => {
      const y = TOP + row * ROW, middle = y + 42, best = Math.min(...losses[side]);
      return [
        svg("text", { class: `name ${side}`, x: 0, y: y + 10 }, `${side}, ${losses[side].length} ${losses[side].length > 1 ? "trials" : "trial"}`),
        svg("line", { class: "axis", x1: 0, x2: width, y1: middle, y2: middle }),
        // those of one row lie a little above and below each other, so that all are in sight
        losses[side].map((loss, i) => svg("circle", { class: side, r: 3, cx: x(loss), cy: middle + 4 * (i % 5 - 2), "fill-opacity": 0.55 })),
        svg("circle", { class: `best ${side}`, r: 7, cx: x(best), cy: middle }),
        open ? svg("line", { class: `worth ${side}`, x1: x(worth[side]), x2: x(worth[side]), y1: middle - 20, y2: middle + 20 }) : null,
      ];
    });
    const y = TOP + 2 * ROW + 14;
    parts.push(svg("text", { class: "scale", x: 0, y }, "← smaller loss: better"),
      svg("text", { class: "scale end", x: width, y }, "validation, in deviations of one trial"));
    if (width < 420) parts.at(-1).textContent = "in deviations";

    const best = SIDES.map((side) => Math.min(...losses[side])), lead = best[0] - best[1];
    const { wins, flatters } = compute(this.now);
    const leads = `${lead > 0 ? "recurrent" : "baseline"} by ${number(Math.abs(lead), 1)}`;
    const truth = gain === 0 ? "no difference" : `${gain > 0 ? "recurrent" : "baseline"} by ${number(Math.abs(gain), 1)}`;
    const story = open
      ? `On validation ahead: ${leads}. On the test: ${truth}. Of 100 such comparisons the recurrent side looks better in `
        + `${Math.round(100 * wins)}. The best of its trials looks ${number(flatters[1], 1)} better than it is, the baseline's ${number(flatters[0], 1)}.`
      : `On validation ahead: ${leads}. Guess: by how much on the test, and in how many of 100 such comparisons would the recurrent side look better?`;
    this.buttons.buttons[0].textContent = open ? "Close the test" : "Open the test";
    this.drawing.setAttribute("viewBox", `0 0 ${width} ${2 * ROW + TOP + 34}`);
    this.drawing.setAttribute("aria-label", `Losses on validation of ${losses.baseline.length} trials of the baseline and ${losses.recurrent.length} of the recurrent side, the best of each ringed. ${story}`);
    this.drawing.replaceChildren(...parts.flat(Infinity).filter(Boolean));
    this.say(story);
  }

  get setting() { return Object.fromEntries(Object.entries(this.now).filter(([name, value]) => value !== FIRST[name])); }

  set setting(given) {
    this.now = { ...FIRST, ...given };
    for (const name of ["baseline", "recurrent", "draw"]) this.now[name] = Math.round(this.now[name]);
    for (const [name, control] of Object.entries(this.controls)) control.set(this.now[name]);
  }
}

Capstone.define("capstone");
