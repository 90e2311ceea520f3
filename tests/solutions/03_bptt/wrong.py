"""Wrong answers to the exercises of 03_bptt. tools/exercises.py says how they are written."""

import numpy as np

EDITS = {
    "leaky_step_backward": {
        "the factor 1 - n_t**2 of the tanh is missing": "dh_t * a * (1 - n_t**2) → dh_t * a",
        "the factor of the tanh is 1 - n_t**2, not 1 - n_t": "n_t**2 → n_t",
        "it is 1 - n_t**2, not 1 - h_prev**2": "n_t**2 → h_prev**2",
        "the factor a on the way through n_t is missing": "dh_t * a * → dh_t *",
        "the direct way is missing": "(1 - a) * dh_t + dz @ W_h → dz @ W_h",
        "direct way: 1 - a, not a": "(1 - a) * dh_t + dz → a * dh_t + dz",
        "direct way: 1 - a, not 1": "(1 - a) * dh_t + dz → dh_t + dz",
        "1 - a is on both ways": "(1 - a) * dh_t + dz @ W_h → (1 - a) * (dh_t + dz @ W_h)",
        "dz @ W_h is missing": "(1 - a) * dh_t + dz @ W_h → (1 - a) * dh_t",
        "W_h is transposed": "dz @ W_h → dz @ W_h.T",
        "it is transposed": ["dz.T @ x_t → x_t.T @ dz", "dz.T @ h_prev → h_prev.T @ dz"],
        "it was made with n_t, not with h_prev": "dz.T @ h_prev → dz.T @ n_t",
        "it is the mean over the batch where the sum is expected": "dz.sum(axis=0) → dz.mean(axis=0)",
        "yours gave 4 results": "dW_h, db → dW_h",
        "leaky_step_backward changed its argument dh_t in place": "dz = dh_t * a * (1 - n_t**2) → dh_t *= a * (1 - n_t**2)\n    dz = dh_t",
    },
    "worst_entry": {
        "the difference is not divided by the largest entry of the estimate": "difference[worst] / (size if size > 0 else 1) → difference[worst]",
        "it is divided by the entry itself, not by the largest entry": "size = abs(estimate).max() → size = abs(estimate[worst])",
        "it is divided by the largest entry that was claimed": "size = abs(estimate).max() → size = abs(claimed).max()",
        "the difference was taken with its sign": "difference = abs(estimate - claimed) → difference = estimate - claimed",
        "every estimate is 0: f must be called with two arrays that differ": "above, below = array.copy(), array.copy() → above = below = array.copy()",
        "this is one-sided: only above, not below": "(f(above) - f(below)) / (2 * epsilon) → (f(above) - f(array)) / epsilon",
        "the difference of the two losses is divided by 2 epsilon": "(2 * epsilon) → epsilon",
        "f is taken above and at the entry itself, and divided by the whole 2 epsilon": "(f(above) - f(below)) → (f(above) - f(array))",
        "where the estimate is 0 everywhere, the largest difference itself is the result": "difference[worst] / (size if size > 0 else 1) → difference[worst] / size if size > 0 else 0.0",
        "is of type int; a tuple is expected": "tuple(int(k) for k in worst) → int(difference.argmax())",
        "worst_entry changed its argument array in place": "above, below = array.copy(), array.copy() → above, below = array, array.copy()",
        "where the estimate is 0 everywhere, the difference is divided by 0": "(size if size > 0 else 1) → size",
    },
    "leaky_backward": {
        "what is handed back is not added: every step sees its own loss alone": "dh[t] + back → dh[t]",
        "the direct part dh[t] is missing after the last step": "dh[t] + back → (dh[t] if t == len(x) - 1 else back)",
        "the gradients are not added up: only the last use is kept": [
            "dW_x += step → dW_x = step; dW_h += step → dW_h = step; db += step → db = step",
            "dW_h += step → dW_h = step",
        ],
        "the walk goes from the first step to the last": "reversed(range(len(x))) → range(len(x))",
        "the state before each step is h[t - 1], not h[t]": "before = h[t - 1] if t > 0 else h_0 → before = h[t]",
        "before the first step stands h_0, not the last state": "h[t - 1] if t > 0 else h_0 → h[t - 1]",
        "before the first step stands h_0, not 0": "if t > 0 else h_0 → if t > 0 else 0 * h_0",
        "all steps were taken with h_0": "h[t - 1] if t > 0 else h_0 → h_0",
        "a mean over time in place of the sum": "return dx, back, dW_x, dW_h, db → return dx, back, dW_x / len(x), dW_h / len(x), db / len(x)",
        "the first step is left out": "reversed(range(len(x))) → reversed(range(1, len(x)))",
        "the last step is left out": "reversed(range(len(x))) → reversed(range(len(x) - 1))",
        "a step without a loss of its own is passed over": "before = h → if not dh[t].any():\n            continue\n        before = h",
        "a `return` stands inside the loop": "    return dx, back →         return dx, back",
        "leaky_backward changed its argument dh in place": "step = leaky_step_backward(dh[t] + back → dh[t] += back\n        step = leaky_step_backward(dh[t]",
    },
    "truncated_gradients": {
        "nothing is cut: this is the whole way back": "range(0, len(x), window) → range(0, min(1, len(x))); slice(start, start + window) → slice(None)",
        "each piece starts from h_0, not from the last state of the piece before": "before = h[start - 1] if start > 0 else h_0 → before = h_0",
        "each piece starts from 0": "before = h[start - 1] if start > 0 else h_0 → before = 0 * h_0",
        "the state before a piece is h[start - 1], not h[start]": "h[start - 1] if start > 0 → h[start] if start > 0",
        "only the last piece counts: the pieces are not added up": "dW_x += part → dW_x = part; dW_h += part → dW_h = part; db += part → db = part",
        "a last piece that is shorter is left out": "range(0, len(x), window) → range(0, len(x) - window + 1, window)",
        "the pieces are cut from the end": "range(0, len(x), window) → reversed(range(len(x) - window, -window, -window)); slice(start, start + window) → slice(max(start, 0), start + window)",
        "the pieces overlap by a step": "slice(start, start + window) → slice(start, start + window + 1)",
        "only the first piece is walked": "range(0, len(x), window) → range(0, min(1, len(x)))",
    },
    "wrong_results": {
        "with one sequence, a mean or the last one is the sum": "(3, 2) → (1, 2); (3, 4), → (1, 4),; size=(3, 4) → size=(1, 4)",
        "W_h is symmetric in your inputs": "h_t, R = → arrays['W_h'] += arrays['W_h'].T\n    h_t, R =",
        "your list [] lacks dh_prev": "> 1e-4 → > 1e-4 and name != 'h_prev'",
        "your list [] lacks dW_h": "> 1e-4 → > 1e-4 and name != 'W_h'",
        "your list [] lacks db": [
            "> 1e-4 → > 1e-4 and name != 'b'",
            "    return wrong →         return wrong",
        ],
        "h_prev is 0 in your inputs": [
            "h_t, R = → arrays['h_prev'] *= 0\n    h_t, R =",
            "h_t, R = → arrays |= {'x_t': 0 * arrays['x_t'], 'h_prev': 0 * arrays['h_prev'], 'b': 0 * arrays['b']}\n    h_t, R =",
        ],
        "your list ['dx_t'] lacks dh_prev, dW_x, dW_h, db": 'wrong.append(f"d{name}") → return [f"d{name}"]',
        "which port_4 computes right": [
            "> 1e-4 → > 1e-16",
            "claims = port(R → claims = port(1 + 0 * R",
        ],
        "holds what is no name of the five": 'f"d{name}" → name',
        "it is of type tuple; a list is expected": "return wrong → return tuple(wrong)",
        "in this order": "return wrong → return wrong[::-1]",
    },
}
SURVIVORS = {
    "wrong_results: draw, wrong = (np.random.default_rng(0).normal, []) → draw, wrong = (np.random.default_rng(1).normal, [])": "another seed draws other inputs, as good as these",
    "wrong_results: if worst_entry(loss, arrays[name], claim, 1e-05)[0] > 0.0001: → if worst_entry(loss, arrays[name], claim, 1e-05)[0] >= 0.0001:": "no error is exactly 1e-4",
    "wrong_results: for name, claim in zip(shapes, claims, strict=True): → for name, claim in zip(shapes, claims, strict=False):": "both have five entries",
}


def worst_entry__not_put_back(f, array, claimed, epsilon):
    """an entry that was changed is not put back before the next"""
    moved, estimate = array.copy(), np.zeros(array.shape)
    for index in np.ndindex(array.shape):
        moved[index] += epsilon
        above = f(moved)
        moved[index] -= 2 * epsilon
        estimate[index] = (above - f(moved)) / (2 * epsilon)
    difference, size = abs(estimate - claimed), abs(estimate).max()
    worst = np.unravel_index(difference.argmax(), array.shape)
    return difference[worst] / (size if size > 0 else 1), tuple(int(k) for k in worst)


ALLOWED = {"activations.tanh_grad": "1 - n * n, one factor of the product that is asked"}
