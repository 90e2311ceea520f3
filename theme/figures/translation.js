// room: 13.2rem, 14.5rem, 14.5rem
// <unrolled-translation>: FILL IN: what is drawn, and what the reader moves.

import { Figure, within } from "./figure.js";
import { rnnStep, unroll } from "./network.js";
import { number, slider, svg } from "./svg.js";

/** FILL IN: what the figure computes, apart from all drawing, so that a test can compare it. */
export function compute({ w_h, x }) {
  const cell = { W_x: [[1]], W_h: [[w_h]], b: [0] };
  return unroll((x_t, state) => rnnStep(cell, [x_t], state), x).map(({ h }) => h[0]);
}

class Translation extends Figure {
  static css = "rect { fill: var(--state); }";
  static address = { w: within(0, 1) };
  w = 0.8;

  build() {
    this.drawing = svg("svg", { role: "img", height: 80, "aria-label": "FILL IN: what is drawn, in words" });
    this.slider = slider({
      label: "w_h", min: 0, max: 1, step: 0.05, value: this.w,
      onInput: (value) => { this.w = value; this.update(); },
    });
    return [this.drawing, this.slider.element];
  }

  render(width) {
    const h = compute({ w_h: this.w, x: [1, 0, 0, 0] });
    this.drawing.setAttribute("viewBox", `0 0 ${width} 80`);
    this.drawing.replaceChildren(...h.map((value, i) =>
      svg("rect", { x: i * width / 4, y: 80 - 80 * value, width: 20, height: 80 * value })));
    this.say(`FILL IN: what is to be seen; after four steps ${number(h[3])} is left.`);
  }

  get setting() { return this.w === 0.8 ? {} : { w: this.w }; }
  set setting({ w = 0.8 }) { this.w = w; this.slider.set(w); }
}

Translation.define("translation");
