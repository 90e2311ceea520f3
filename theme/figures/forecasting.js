// room: 33.5rem, 42.4rem, 46.8rem
// <unrolled-forecasting>: weeks of 2015 in Seattle, each forecast by an LSTM that rnnlib trained: its
// fan beside the two naive lines. The reader moves the horizon and lets one leak in. The forecasts are
// stored; what they are worth in this week is computed here.

import { Figure, oneOf, within } from "./figure.js";
import { choice, html, number, numbers, slider, svg } from "./svg.js";

/**
 * The first k days of a week: mean absolute errors of the fan's middle, of "as today" and of the
 * normals, and how many days lie in the fan. `told` holds [low, middle, high] for each day.
 */
export function compute({ told, came, today, normal, k }) {
  const mean = (forecast) => came.slice(0, k).reduce((sum, y, i) => sum + Math.abs(y - forecast(i)), 0) / k;
  return {
    network: mean((i) => told[i][1]),
    today: mean(() => today),
    normal: mean((i) => normal[i]),
    covered: came.slice(0, k).filter((y, i) => told[i][0] <= y && y <= told[i][2]).length,
  };
}

const LEAKS = [
  ["none", "none"], ["normals", "normals of all years"], ["row", "tomorrow's row"],
  ["shuffled", "shuffled split, long training"],
];
const DAYS = 7, TALL = 210, TOP = 12, LEFT = 34, UNDER = 24, FIRST = { week: 5, k: 7, leak: "none" };
const MONTHS = "January February March April May June July August September October November December".split(" ");
const degrees = (value) => `${number(value, 1)} °C`;

class Forecasting extends Figure {
  static css = `
    .grid { stroke: var(--line); } .now { stroke: var(--edge); stroke-dasharray: 2 3; }
    .fan { fill: var(--lstm); opacity: 0.2; } .middle { fill: none; stroke: var(--lstm); stroke-width: 2.5; }
    .today { stroke: var(--baseline); stroke-width: 2; stroke-dasharray: 6 4; }
    .normal { fill: none; stroke: var(--input); stroke-width: 2; stroke-dasharray: 2 3; }
    .came { fill: none; stroke: var(--ink); } .dot { fill: var(--ink); } .later { fill: var(--paper); stroke: var(--ink); }
    .scale { font-size: 12px; fill: var(--muted); } .middle-text { text-anchor: middle; } .end-text { text-anchor: end; }
    .keys { display: flex; flex-wrap: wrap; gap: 0 1.2rem; font-size: 0.88rem; color: var(--muted); margin: 0; }
    .keys b { font-weight: 600; } .one { color: var(--lstm); } .two { color: var(--baseline); } .three { color: var(--input); }
    .four { color: var(--ink); }
    .controls { display: grid; gap: 0.3rem 1.5rem; grid-template-columns: 1fr 1fr; }
    .status { min-height: 5.8em; }
    @container (max-width: 560px) { .controls { grid-template-columns: 1fr; } .status { min-height: 8.7em; } }
    @container (max-width: 420px) { .status { min-height: 11.6em; } }`;
  static weights = "forecasting.json";
  static address = { week: within(1, 12), k: within(1, DAYS), leak: oneOf(...LEAKS.map(([name]) => name)) };
  now = { ...FIRST };

  build() {
    const change = (name) => (value) => { this.now[name] = value; this.update(); };
    this.drawing = svg("svg", { role: "img", height: TOP + TALL + UNDER, "aria-label": "A week and its forecasts" });
    this.controls = {
      k: slider({ label: "days ahead", min: 1, max: DAYS, step: 1, value: FIRST.k, format: (k) => `${k}`, onInput: change("k") }),
      week: slider({ label: "the week after", min: 1, max: 12, step: 1, value: FIRST.week, format: (week) => this.date(week),
        onInput: change("week") }),
      leak: choice({ legend: "Let a leak in:", options: LEAKS, value: FIRST.leak, onChange: change("leak") }),
    };
    this.table = numbers("All numbers of this week");
    const key = (kind, sign, text) => html("span", {}, html("b", { class: kind }, `${sign} `), text);
    return [
      html("p", { class: "keys" }, key("four", "●", "measured"), key("one", "▬", "LSTM, with its 90% band"),
        key("two", "- -", "as today"), key("three", "···", "normal for the date")),
      this.drawing,
      html("div", { class: "controls" }, this.controls.k.element, this.controls.week.element),
      this.controls.leak.element, this.status, this.table.element,
    ];
  }

  loaded(model) {
    this.model = model;
    this.controls.week.set(this.now.week); // its date is known from now on
  }

  /** The last known day of a week. */
  date(week) {
    const day = this.model?.days[week - 1].split("-")[2];
    return day ? `${Number(day)} ${MONTHS[week - 1]}` : MONTHS[week - 1];
  }

  /** The week that is shown, in °C. */
  get shown() {
    const { week, leak } = this.now, { model } = this, i = week - 1;
    const celsius = (tenths) => tenths.map((value) => value / 10);
    const past = celsius(model.past[i]);
    return {
      past, today: past.at(-1), came: celsius(model.came[i]), normal: celsius(model.normal[i]),
      told: model.drawn[leak].told[i].map(celsius),
    };
  }

  /** From and to what temperature is drawn: the same for all leaks of a week. */
  get range() {
    const i = this.now.week - 1, { past, came, normal, drawn } = this.model;
    const all = [past[i], came[i], normal[i], ...Object.values(drawn).map(({ told }) => told[i])].flat(2);
    return [5 * Math.floor(Math.min(...all) / 50), 5 * Math.ceil(Math.max(...all) / 50)];
  }

  render(width) {
    const { k, leak, week } = this.now, { past, today, came, normal, told } = this.shown;
    const all = DAYS + past.length, [low, high] = this.range;
    const x = (day) => LEFT + (day + past.length - 0.5) * (width - LEFT) / all;
    const y = (value) => TOP + TALL * (high - value) / (high - low);
    const at = (points) => points.map(([day, value], i) => `${i ? "L" : "M"}${x(day).toFixed(1)} ${y(value).toFixed(1)}`).join("");
    const marks = Array.from({ length: (high - low) / 5 + 1 }, (_, i) => low + 5 * i);
    const parts = marks.flatMap((value) => [
      svg("line", { class: "grid", x1: LEFT, x2: width, y1: y(value), y2: y(value) }),
      svg("text", { class: "scale", x: 0, y: y(value) + 4 }, `${number(value, 0)} °C`)]);
    const fan = told.slice(0, k).map(([l, , h], i) => [[i + 1, l], [i + 1, h]]);
    const corners = [[0, today], ...fan.map(([l]) => l), ...fan.map(([, h]) => h).reverse()];
    const line = [...past.map((value, i) => [i - past.length + 1, value]), ...came.map((value, i) => [i + 1, value])];
    parts.push(
      svg("line", { class: "now", x1: x(0), x2: x(0), y1: TOP, y2: TOP + TALL }),
      svg("path", { class: "fan", d: `${at(corners)}Z` }),
      svg("line", { class: "today", x1: x(0), x2: x(k), y1: y(today), y2: y(today) }),
      svg("path", { class: "normal", d: at(normal.slice(0, k).map((value, i) => [i + 1, value])) }),
      svg("path", { class: "came", d: at(line) }),
      svg("path", { class: "middle", d: at([[0, today], ...told.slice(0, k).map((each, i) => [i + 1, each[1]])]) }),
      line.map(([day, value]) => svg("circle", { class: day > 0 ? "later" : "dot", cx: x(day), cy: y(value), r: 3.5 })),
      [-6, 0, k].map((day) => svg("text", { class: `scale ${day ? "middle" : "end"}-text`, x: x(day) + (day ? 0 : 5), y: TOP + TALL + 18 },
        day ? `${day > 0 ? "+" : "−"}${Math.abs(day)}` : "today")));

    const { network, covered, ...naive } = compute({ told, came, today, normal, k });
    const days = k === 1 ? "day 1" : `days 1 to ${k}`, tenths = (values) => degrees(values[k - 1] / 10);
    const { rmse, drawn } = this.model, fair = leak === "none" ? "" : ` (no leak: ${tenths(drawn[leak].honest)})`;
    const story = `This week, ${days}: mean error LSTM ${degrees(network)}, as today ${degrees(naive.today)}, `
      + `normal ${degrees(naive.normal)}; ${covered} of ${k} in the band. Whole test, day ${k}: `
      + `RMSE LSTM ${tenths(drawn[leak].rmse)}${fair}, as today ${tenths(rmse["as today"])}, normal ${tenths(rmse.normal)}.`;
    this.drawing.setAttribute("viewBox", `0 0 ${width} ${TOP + TALL + UNDER}`);
    this.drawing.setAttribute("aria-label", `Maxima around ${this.model.days[week - 1]}, and forecasts of the next ${k} days. ${story}`);
    this.drawing.replaceChildren(...parts.flat());
    this.say(story);
    this.table.fill(["days ahead", "measured", "LSTM", "90% from", "to", "as today", "normal"], came.map((value, i) =>
      [i + 1, value, told[i][1], told[i][0], told[i][2], today, normal[i]].map((one, j) => (j ? number(one, 1) : one))));
  }

  get setting() { return Object.fromEntries(Object.entries(this.now).filter(([name, value]) => value !== FIRST[name])); }

  set setting(given) {
    this.now = { ...FIRST, ...given };
    for (const name of ["week", "k"]) this.now[name] = Math.round(this.now[name]);
    for (const [name, control] of Object.entries(this.controls)) control.set(this.now[name]);
  }
}

Forecasting.define("forecasting");
