// The networks of the figures: one time step of each cell, as in rnnlib/cells.py, for one sequence.
//
//     const weights = unpack(model.weights);                   // a state_dict under torch's names
//     const read = layer(lstmStep, weights, "lstm");            // "lstm.weight_ih_l0", …
//     const states = unroll(read, words.map((word) => weights["embedding.weight"][word]));
//     const p = softmax(affine(weights["linear.weight"], states.at(-1).h, weights["linear.bias"]));
//
// A vector is an array of numbers, a matrix an array of rows. A state holds all that a step computed:
// {z, h} of the RNN, {i, f, g, o, c, h} of the LSTM, {r, z, n, h} of the GRU, each of H numbers.
// tests/theme/test_network.py proves that the numbers are rnnlib's.

/** W x + b. */
export function affine(W, x, b) {
  return W.map((row, i) => {
    let sum = b[i];
    for (let j = 0; j < row.length; j++) sum += row[j] * x[j];
    return sum;
  });
}

/** exp(score / temperature), divided by their sum. */
export function softmax(scores, temperature = 1) {
  const highest = Math.max(...scores);
  const raised = scores.map((score) => Math.exp((score - highest) / temperature));
  const sum = raised.reduce((a, b) => a + b, 0);
  return raised.map((value) => value / sum);
}

const sigmoid = (z) => 1 / (1 + Math.exp(-z));
export const NONLINEARITIES = { tanh: Math.tanh, relu: (z) => Math.max(z, 0) };
const add = (a, b) => a.map((value, i) => value + b[i]);
const zeros = (H) => new Array(H).fill(0);
/** A vector of H for each gate. */
const split = (z, H) => Array.from({ length: z.length / H }, (_, gate) => z.slice(gate * H, (gate + 1) * H));

/** W_x x_t + W_h h_{t-1} + b. */
const sum = ({ W_x, W_h, b }, x, h) => add(affine(W_x, x, b), affine(W_h, h, zeros(b.length)));

/** z_t = W_x x_t + W_h h_{t-1} + b, h_t = f(z_t). */
export function rnnStep({ nonlinearity = "tanh", ...cell }, x, state) {
  const z = sum(cell, x, state?.h ?? zeros(cell.W_h.length));
  return { z, h: z.map(NONLINEARITIES[nonlinearity]) };
}

/** Rows of W_x, W_h and b in the order i, f, g, o; c_t = f c_{t-1} + i g, h_t = o tanh(c_t). */
export function lstmStep(cell, x, state) {
  const H = cell.W_h[0].length, { h, c } = state ?? { h: zeros(H), c: zeros(H) };
  let [i, f, g, o] = split(sum(cell, x, h), H);
  [i, f, o] = [i, f, o].map((gate) => gate.map(sigmoid));
  g = g.map(Math.tanh);
  const c_t = c.map((value, k) => f[k] * value + i[k] * g[k]);
  return { i, f, g, o, c: c_t, h: c_t.map((value, k) => o[k] * Math.tanh(value)) };
}

/** Rows in the order r, z, n, the reset after the product; h_t = (1 - z) n + z h_{t-1}. */
export function gruStep({ W_x, W_h, b, b_hn }, x, state) {
  const H = W_h[0].length, { h } = state ?? { h: zeros(H) };
  const [a_r, a_z, a_n] = split(affine(W_x, x, b), H);
  const [p_r, p_z, p_n] = split(affine(W_h, h, [...zeros(2 * H), ...b_hn]), H);
  const r = add(a_r, p_r).map(sigmoid), z = add(a_z, p_z).map(sigmoid);
  const n = a_n.map((value, k) => Math.tanh(value + r[k] * p_n[k]));
  return { r, z, n, h: n.map((value, k) => (1 - z[k]) * value + z[k] * h[k]) };
}

/** A step function `(x, state) => state` from the arrays of a state_dict, such as "rnn.weight_ih_l0". */
export function layer(step, weights, name, suffix = "l0") {
  const [W_x, W_h, b_ih, b_hh] = ["weight_ih", "weight_hh", "bias_ih", "bias_hh"]
    .map((part) => weights[`${name}.${part}_${suffix}`]);
  // the GRU's second bias of the candidate stands inside its reset gate
  const outside = step === gruStep ? 2 * W_h[0].length : b_hh.length;
  const b = b_ih.map((value, i) => (i < outside ? value + b_hh[i] : value));
  const cell = { W_x, W_h, b, b_hn: b_hh.slice(outside) };
  return (x, state) => step(cell, x, state);
}

/** What writes: a function of a symbol's index and the state before, to the state and the scores. */
export function writer(step, weights) {
  const read = layer(step, weights, "rnn");
  return (index, before) => {
    const state = read(weights["embedding.weight"][index], before);
    return { state, scores: affine(weights["linear.weight"], state.h, weights["linear.bias"]) };
  };
}

/** softmax(scores / temperature); at 0 the first of the best has it all. */
export function tempered(scores, temperature) {
  if (temperature > 0) return softmax(scores, temperature);
  const best = scores.indexOf(Math.max(...scores));
  return scores.map((_, i) => Number(i === best));
}

/** The index that a number from 0 to 1 falls on, if each has a stretch as long as its probability. */
export function drawn(p, chance) {
  let sum = 0;
  const index = p.findIndex((share) => (sum += share) > chance);
  return index < 0 ? p.lastIndexOf(Math.max(...p)) : index; // rounding may leave a gap at the end
}

/** The state after each of the inputs. */
export function unroll(step, xs, state) {
  return xs.map((x) => (state = step(x, state)));
}

/**
 * Arrays from what `pack` of the experiments wrote: whole numbers of 8 or 16 bits, times one scale
 * for each array: `{ name: { shape, scale, int16: base64 } }`.
 */
export function unpack(packed) {
  return Object.fromEntries(Object.entries(packed).map(([name, { shape, scale, int8, int16 }]) => {
    const { buffer } = Uint8Array.from(atob(int8 ?? int16), (character) => character.charCodeAt(0));
    const view = new DataView(buffer);
    const at = int8 ? (i) => view.getInt8(i) * scale : (i) => view.getInt16(2 * i, true) * scale;
    const [rows, columns = 1] = shape;
    const row = (i) => Array.from({ length: columns }, (_, j) => at(i * columns + j));
    return [name, Array.from({ length: rows }, (_, i) => (shape.length === 1 ? at(i) : row(i)))];
  }));
}
