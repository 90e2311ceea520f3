// room: 34.6rem, 49rem, 50.3rem
// <unrolled-video>: clips that a network watches, an eye and a GRU that rnnlib trained. The reader walks
// through the frames, or plays them backwards, and sees what the network believes after each.

import { Figure, oneOf, player, within } from "./figure.js";
import { affine, gruStep, layer, softmax, unpack, unroll } from "./network.js";
import { bars, html, percent, slider, toggle } from "./svg.js";

const SIDE = 32, LONGEST = 28, CLIPS = 8, DARKEST = 16, LEVEL = 14.6; // brightness, and of one of 16 levels
const relu = (values) => values.map((value) => Math.max(value, 0));

/** A square window over square pictures, each one flat: `W` has a row for each feature. */
function convolve(pictures, W, b, { size, stride, padding = 0 }) {
  const n = Math.sqrt(pictures[0].length), m = Math.floor((n + 2 * padding - size) / stride) + 1;
  return W.map((weights, k) => Array.from({ length: m * m }, (_, place) => {
    const top = stride * Math.floor(place / m) - padding, left = stride * (place % m) - padding;
    let sum = b[k], w = 0;
    for (const picture of pictures) {
      for (let y = top; y < top + size; y++) {
        for (let x = left; x < left + size; x++, w++) {
          if (y >= 0 && y < n && x >= 0 && x < n) sum += weights[w] * picture[n * y + x];
        }
      }
    }
    return sum;
  }));
}

/** What the chapter's `running` computes: frames, each a flat picture, to what is believed after each. */
export function watcher(packed) {
  const weights = unpack(packed), read = layer(gruStep, weights, "rnn");
  const part = (name) => [weights[`${name}.weight`], weights[`${name}.bias`]];
  const dense = (name, x) => affine(weights[`${name}.weight`], x, weights[`${name}.bias`]);
  function features(frame) {
    const x = frame.map((value) => (value - 128) / 64);
    const a = convolve([x], ...part("eye.conv1"), { size: 4, stride: 4 }).map(relu);
    const b = convolve(a, ...part("eye.conv2"), { size: 3, stride: 2, padding: 1 }).map(relu);
    return relu(dense("eye.linear", b.flat()));
  }
  return (frames) => unroll(read, frames.map(features)).map(({ h }) => softmax(dense("linear", h)));
}

/** The frames of a clip, whose bytes hold two pixels each. */
export function framesOf({ T, int8 }) {
  const bytes = Array.from(atob(int8), (character) => character.charCodeAt(0));
  const pixels = bytes.flatMap((byte) => [byte >> 4, byte & 15]).map((level) => DARKEST + LEVEL * level);
  return Array.from({ length: T }, (_, t) => pixels.slice(t * SIDE * SIDE, (t + 1) * SIDE * SIDE));
}

const CSS = `
.card { display: grid; gap: 0.8rem 1.5rem; grid-template-columns: 15rem minmax(0, 1fr); align-items: center; }
.card > :is(.row, .slider, .buttons, .status, .quiet) { grid-column: 1 / -1; }
.row { display: flex; flex-wrap: wrap; gap: 0.5rem; align-items: end; }
.row .field { width: 10rem; }
canvas { width: 100%; aspect-ratio: 1; border: 1px solid var(--edge); border-radius: 6px; image-rendering: pixelated; }
.status { min-height: 2.9em; }
@container (max-width: 560px) {
  .card { grid-template-columns: minmax(0, 1fr); }
  canvas { max-width: 13rem; justify-self: center; }
  .status { min-height: 4.35em; }
}
@container (max-width: 400px) { .status { min-height: 5.8em; } }
`;

class Video extends Figure {
  static css = CSS;
  static weights = "video.json";
  static heavy = true;
  static address = { clip: within(1, CLIPS), frame: within(1, LONGEST), way: oneOf("forwards", "backwards") };

  clip = 1;
  frame = 1;
  backwards = false;

  build() {
    this.select = html("select", { onchange: () => this.choose(Number(this.select.value)) },
      Array.from({ length: CLIPS }, (_, i) => html("option", { value: i + 1 }, `Clip ${i + 1}`)));
    this.turn = toggle({ label: "Backwards", onChange: (on) => {
      this.player.pause();
      Object.assign(this, { backwards: on, frame: 1 });
      this.update();
    } });
    this.canvas = html("canvas", { width: SIDE, height: SIDE, role: "img", "aria-label": "No frame yet" });
    this.bars = bars("activity", ["now", "before"], CLIPS);
    this.slider = slider({ label: "Frame", min: 1, max: LONGEST, step: 1, value: 1, format: (t) => `${t}`,
      onInput: (t) => { this.player.pause(); this.go(t); } });
    this.player = player({ T: LONGEST, t: 1, pace: 250, onMove: (t) => this.go(Math.max(t, 1)) });
    return [
      html("div", { class: "row" }, html("label", { class: "field" }, html("span", {}, "Watch"), this.select), this.turn.element),
      this.canvas, this.bars.element, this.slider.element, this.player.element,
    ];
  }

  loaded(model) {
    this.model = model;
    this.watch = watcher(model.weights);
  }

  choose(clip) {
    if (!this.model) return;
    this.player.pause();
    this.show(clip, 1);
    this.update();
  }

  show(clip, frame) {
    if (!this.frames || clip !== this.clip) {
      this.frames = framesOf(this.model.clips[clip - 1]);
      this.believed = [this.watch(this.frames), this.watch(this.frames.toReversed())];
    }
    Object.assign(this, { clip, frame: Math.min(frame, this.frames.length) });
  }

  go(frame) {
    this.frame = frame;
    this.update();
  }

  get setting() {
    const setting = {};
    if (this.clip !== 1) setting.clip = this.clip;
    if (this.frame !== 1) setting.frame = this.frame;
    if (this.backwards) setting.way = "backwards";
    return setting;
  }

  set setting({ clip = 1, frame = 1, way = "forwards" }) {
    this.backwards = way === "backwards";
    this.show(Math.round(clip), Math.round(frame));
  }

  render() {
    const { model, frames, frame, backwards } = this, T = frames.length;
    this.frame = Math.min(frame, T);
    const t = this.frame - 1, believed = this.believed[Number(backwards)], p = believed[t];
    const picture = frames[backwards ? T - 1 - t : t];
    const bytes = new Uint8ClampedArray(picture.flatMap((value) => [value, value, value, 255]));
    this.canvas.getContext("2d").putImageData(new ImageData(bytes, SIDE), 0, 0);
    const best = p.indexOf(Math.max(...p)), names = model.names;
    this.canvas.setAttribute("aria-label", `Frame ${t + 1} of ${T}: a stick figure in grey, 32 by 32 pixels`);
    this.bars.set(names.map((name, k) => ({ name, share: p[k], mark: t ? believed[t - 1][k] : null, strong: k === best })));
    this.select.value = this.clip;
    this.turn.set(backwards);
    this.slider.input.max = T;
    this.slider.set(t + 1);
    this.player.set(t + 1, T);
    const { activity } = model.clips[this.clip - 1], truth = names[backwards ? model.reversed[activity] : activity];
    const way = backwards ? "backwards" : "forwards";
    const end = t + 1 < T ? "What is it? Go on to the last frame." : `The clip shows: ${truth}.`;
    this.say(`Frame ${t + 1} of ${T}, ${way}. The network believes most in “${names[best]}”, ${percent(p[best])}. ${end}`);
  }
}

Video.define("video");
