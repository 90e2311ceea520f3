"""Wrong answers to the exercises of 16_inside. tools/exercises.py says how they are written."""

import numpy as np

EDITS = {
    "connectivity": {
        "W_h is not transposed": "dh = W_h.T @ dz → dh = W_h @ dz",
        "a closed unit, whose h_t is 0, lets the gradient pass": "dh * (h[t] > 0) → dh",
        "the derivative is that of the tanh, 1 - h²": "(h[t] > 0) → (1 - h[t] ** 2)",
        "the inputs are missing: these are the sums of the gradients": "x[t] @ (W_x.T @ dz) → np.sum(W_x.T @ dz)",
        "signs are lost: a share may be negative": "x[t] @ (W_x.T @ dz) → abs(x[t] @ (W_x.T @ dz))",
        "the ReLU is that of the step before": "(h[t] > 0) → (h[t - 1] > 0 if t else 0)",
        "the gradient skips the ReLU of its own step on its way to x_t": "(W_x.T @ dz) → (W_x.T @ dh)",
        "the gradient skips the ReLU on its way to the step before": "dh = W_h.T @ dz → dh = W_h.T @ dh",
        "": "dh = W_h.T @ dz → dh = 0 * dz",
        "at every step the gradient begins anew with w_y": "dh = W_h.T @ dz → dh = w_y",
        "each step adds w_y: y depends on the last state alone": "dh = W_h.T @ dz → dh = W_h.T @ dz + w_y",
        "the gradient goes forward through the words": "in reversed(range(len(x))): → in range(len(x)):",
        "the gradient is multiplied by h_t": "(h[t] > 0) → h[t]",
    },
    "removal": {
        "a sign is wrong": "y - output → output; W_h, b, w_y) for rest in left] → W_h, b, w_y) - y for rest in left]",
        "y itself is missing: this is what is left": "[y - output → [output",
        "the words become 0; they must be taken out, so that the sequence is shorter": "np.delete(x, slice(t, t + k), axis=0) → np.concatenate([x[:t], 0 * x[t : t + k], x[t + k :]])",
        "one word is removed, not k": "slice(t, t + k) → slice(t, t + 1)",
        "k + 1 words are removed": "slice(t, t + k) → slice(t, t + k + 1)",
        "the last stretch is missing": "len(x) - k + 1 → len(x) - k",
        "stretches do not overlap: every k words one begins": "range(len(x) - k + 1) → range(0, len(x) - k + 1, k)",
        "what comes after the stretch is lost": "np.delete(x, slice(t, t + k), axis=0) → x[:t]",
        "the shapes do not fit": "np.delete(x, slice(t, t + k), axis=0) → np.delete(x, slice(t, t + k), axis=1)",
    },
    "counting_unit": {
        "the unit with the largest r is taken; furthest from 0 may be negative": "np.argmax(abs(r)) → np.argmax(r)",
        "the unit with the smallest r is taken": "np.argmax(abs(r)) → np.argmin(abs(r))",
        "it is the covariance": "(np.where(sd > 0, sd, 1) * d.std()) → 1",
        "the spread of the depth is missing": " * d.std()) → )",
        "the spread of the units is missing": "(np.where(sd > 0, sd, 1) * d.std()) → d.std()",
        "r has lost its sign": "float(r[unit]) → float(abs(r[unit]))",
        "r is squared": "float(r[unit]) → float(r[unit] ** 2)",
        "the means are not subtracted": "h - h.mean(axis=0), depth - depth.mean() → h, depth",
        "variances stand where standard deviations are asked": "sd > 0, sd, 1) * d.std() → sd > 0, sd**2, 1) * d.var()",
        "one division is by N, another by N - 1": "h.std(axis=0) → h.std(axis=0, ddof=1)",
        "the sum of the products is not divided by N": " / len(d) → ",
        "yours gave float": "return int(unit), float(r[unit]) → return float(r[unit])",
        "the unit's number comes first, then r": "return int(unit), float(r[unit]) → return float(r[unit]), int(unit)",
        "a unit that never changes is divided by 0": "np.where(sd > 0, sd, 1) → sd",
        "the mean is taken over the units, not over the states": "h.mean(axis=0) → h.mean(axis=1, keepdims=True)",
    },
    "ablated": {
        "the units are held at 0, not at their values": "h.shape[1:])\n    now[:, units] = values → h.shape[1:])\n    now[:, units] = 0; b)\n        now[:, units] = values → b)\n        now[:, units] = 0",
        "the units are not held before the first step": "now[:, units] = values\n    for → pass\n    for",
        "held before the first step alone": "b)\n        now[:, units] = values → b)",
        "only in the result are they held": "now[:, units] = values\n        h[t] = now → h[t] = now\n        h[t][:, units] = values",
        "held at the end alone": "b)\n        now[:, units] = values → b)\n        if t == len(x) - 1:\n            now[:, units] = values",
        "the values are added": "b)\n        now[:, units] = values → b)\n        now[:, units] += values",
        "values stand in the order of units": "b)\n        now[:, units] = values → b)\n        now[:, sorted(units)] = values",
        "W_h is transposed": "now @ W_h.T → now @ W_h",
        "the bias b is missing": " + b) → )",
        "the ReLU is missing": "np.maximum(0, x[t] @ W_x.T + now @ W_h.T + b) → x[t] @ W_x.T + now @ W_h.T + b",
        "the others are held, too": "b)\n        now[:, units] = values → b)\n        now = h[t - 1] if t else now\n        now[:, units] = values",
    },
    "speed": {
        "the factor ½ is missing in q": "F @ F / 2 → F @ F",
        "factor of 2": "return F @ F / 2, dq → return F @ F / 2, 2 * dq",
        "the h that is subtracted is missing in the gradient": "F) - F → F)",
        "the h that is subtracted counts with the wrong sign": "F) - F → F) + F",
        "W_h is not transposed": "W_h.T @ ( → W_h @ (",
        "the derivative of the tanh is missing": "((1 - n**2) * F) → F",
        "the derivative is taken at h, not at the tanh": "1 - n**2 → 1 - h**2",
        "u is missing": "W_h @ h + u → W_h @ h",
        "the derivative stands at the wrong side of W_h": "W_h.T @ ((1 - n**2) * F) → (1 - n**2) * (W_h.T @ F)",
        "a sign is wrong": "return F @ F / 2, dq → return F @ F / 2, -dq",
        "q is half the distance, not half its square": "F @ F / 2 → np.sqrt(F @ F) / 2",
        "q is a mean over the units; the sum is asked": "F @ F / 2 → np.mean(F**2) / 2",
    },
    "stability": {
        "the derivative of the tanh is missing: these are W_h's eigenvalues": "(1 - h**2)[:, None] * W_h → W_h",
        "the derivative is 1 - h², not 1 - h": "1 - h**2 → 1 - h",
        "h is already the tanh: it is taken once more": "1 - h**2 → 1 - np.tanh(h) ** 2",
        "1 is subtracted on the diagonal: that is the Jacobian of F": "(1 - h**2)[:, None] * W_h → (1 - h**2)[:, None] * W_h - np.eye(len(h))",
        "singular values are taken; eigenvalues are asked": "abs(np.linalg.eigvals((1 - h**2)[:, None] * W_h)) → np.linalg.svd((1 - h**2)[:, None] * W_h)[1]",
        "the real part is taken; the size of a complex number is asked": "abs(np.linalg.eigvals((1 - h**2)[:, None] * W_h)) → abs(np.linalg.eigvals((1 - h**2)[:, None] * W_h).real)",
        "the smallest size is given": "return sizes.max(), → return sizes.min(),",
        "attracts and repels are exchanged": '"attracts" if sizes.max() < 1 else "repels" if → "repels" if sizes.max() < 1 else "attracts" if',
        "it repels only if all sizes are above 1": '"repels" if sizes.min() > 1 else "saddle" → "repels"',
        "it attracts only if all sizes are below 1": '"attracts" if sizes.max() < 1 → "attracts" if sizes.min() < 1',
        "the eigenvalues of a symmetric matrix are taken": "np.linalg.eigvals((1 - h**2)[:, None] * W_h) → np.linalg.eigvalsh((1 - h**2)[:, None] * W_h)",
    },
    "probe": {
        "the gradient goes uphill": "W - rate * (d.T @ h + alpha * W) → W + rate * (d.T @ h + alpha * W); c - rate → c + rate",
        "the gradient is not divided by N": " / len(h) → ",
        "the rate is missing": "W - rate * ( → W - (; c - rate * → c - ",
        "alpha is missing": " + alpha * W) → )",
        "alpha has the wrong sign": " + alpha * W) → - alpha * W)",
        "the factor 2 is too much: the loss holds α/2": "alpha * W) → 2 * alpha * W)",
        "c is made small, too": "d.sum(axis=0) → (d.sum(axis=0) + alpha * c)",
        "c does not learn": "c - rate * d.sum(axis=0) → c",
        "c learns from the mean; d is already divided by N": "d.sum(axis=0) → d.mean(axis=0)",
        "the softmax is missing": "(softmax(h @ W.T + c) - → (h @ W.T + c -",
        "the softmax is taken over the examples": "softmax(h @ W.T + c) → softmax((h @ W.T + c).T).T",
        "c is missing in the scores": "h @ W.T + c) → h @ W.T)",
        "the right class is not subtracted": " - np.eye(K)[z]) → )",
        "the weights cost their sign, not their size": "alpha * W) → alpha * np.sign(W))",
        "c's gradient is taken after W has moved": "d.sum(axis=0) → (softmax(h @ W.T + c) - np.eye(K)[z]).mean(axis=0)",
        "a `return` stands inside the loop": "d.sum(axis=0)\n    return W, c → d.sum(axis=0)\n        return W, c\n    return W, c",
        "there is one step too many": "range(steps) → range(steps + 1)",
    },
    "shuffle_test": {
        "an order as good as the real one counts, too": "shuffled >= real → shuffled > real",
        "the 1 is missing in the numerator of p": "(1 + np.sum → (np.sum",
        "the 1 is missing in the denominator of p": "(1 + len(orders)) → len(orders)",
        "both 1 are missing in p": "(1 + np.sum → (np.sum; (1 + len(orders)) → len(orders)",
        "p counts the orders that are worse": "shuffled >= real → shuffled <= real",
        "the shapes do not fit": "score(train_z[order]) → hits(test_h, test_z[order], *fit(train_h, train_z)).mean()",
        "the score is that on the training examples": "hits(test_h, test_z, *fit(train_h, z)) → hits(train_h, z, *fit(train_h, z))",
        "each state keeps its own label: the order is not used, or the states are shuffled, too": [
            "score(train_z[order]) → hits(test_h, test_z, *fit(train_h[order], train_z[order])).mean()",
            "train_z[order] → train_z",
        ],
        "hits are counted; their share is asked": "fit(train_h, z)).mean() → fit(train_h, z)).sum()",
        "p compares the mean of the orders": "shuffled >= real → shuffled >= shuffled.mean()",
        "only the first order is used": [
            "shuffled.mean(), p → shuffled[0], p",
            "train_z[order] → train_z[orders[0]]",
        ],
        "the share of misses is given": "hits(test_h, test_z, *fit(train_h, z)).mean() → 1 - hits(test_h, test_z, *fit(train_h, z)).mean()",
        "": [
            "shuffled.mean(), p → p, shuffled.mean()",
            "shuffled.mean(), p → np.append(shuffled, real).mean(), p",
        ],
    },
    "control_task": {
        "One is drawn for each word, not for each example": [
            "table = rng.choice(z, size=V) → table = rng.choice(z, size=len(words)); table[words] → table",
            "table[words] → rng.permutation(z)",
        ],
        "a label is drawn as often as it occurs in z": [
            "rng.choice(z, size=V) → rng.choice(np.unique(z), size=V)",
            "rng.choice(z, size=V) → rng.integers(z.max() + 1, size=V)",
            "rng.choice(z, size=V) → np.full(V, np.bincount(z).argmax())",
        ],
        "They must not follow": "table = rng.choice(z, size=V) → table = rng.choice(z, size=V)\n    table[words] = z",
        "all chance must come from rng": "rng.choice(z, size=V) → np.random.default_rng().choice(z, size=V)",
        "they must be drawn with rng": "rng.choice(z, size=V) → np.random.default_rng(0).choice(z, size=V)",
        "labels has shape": "table[words] → table",
        "an index is too large": "rng.choice(z, size=V) → rng.choice(z, size=len(set(words.tolist())))",
        "which does not occur in z": "rng.choice(z, size=V) → rng.integers(V, size=V)",
    },
    "verdict": {
        "a sign is wrong": "d = a - k → d = k - a",
        "N is missing under the root": "d.var() / len(d) → d.var()",
        "v is divided by N, not by N - 1": "d.var() → d.var(ddof=1)",
        "the factor 1.96 is missing": "1.96 * np.sqrt → np.sqrt",
        "the root is missing": "np.sqrt(d.var() / len(d)) → d.var() / len(d)",
        "this is the upper end": "d.mean() - 1.96 → d.mean() + 1.96",
        "the standard deviation stands under the root; the variance is asked": "d.var() → d.std()",
        "a and k are taken as independent: the differences are what varies": "d.var() → (a.var() + k.var())",
        "p = 0.05 is not above 0.05": "p > 0.05 → p >= 0.05",
        "a small p speaks against shuffled labels": "p > 0.05 → p < 0.05",
        "where low is 0, the control task does as well": "low <= 0 → low < 0",
        "the interval counts, not the selectivity alone": "elif low <= 0 → elif d.mean() <= 0",
        "p comes first: it is above 0.05": 'if p > 0.05:\n        word = "shuffled labels do as well"\n    elif low <= 0:\n        word = "the control task does as well" → if low <= 0:\n        word = "the control task does as well"\n    elif p > 0.05:\n        word = "shuffled labels do as well"',
    },
}


def connectivity__by_removal(x, W_x, W_h, b, w_y):
    """this is what y loses without the word; the gradient is asked"""
    y = output(x, W_x, W_h, b, w_y)
    rest = [np.delete(x, t, axis=0) for t in range(len(x))]
    return np.array([y - output(some, W_x, W_h, b, w_y) for some in rest])


def shuffle_test__turned_round(fit, train_h, train_z, test_h, test_z, orders):
    """the order is turned round: the label of training example n is train_z[order[n]]"""
    real = hits(test_h, test_z, *fit(train_h, train_z)).mean()
    moved = [hits(test_h, test_z, *fit(train_h[o], train_z)).mean() for o in orders]
    return real, np.mean(moved), (1 + np.sum(np.array(moved) >= real)) / (1 + len(orders))


def ablated__relu_after(x, W_x, W_h, b, units, values):
    """the ReLU is taken of a held value, too"""
    now, h = np.zeros((x.shape[1], len(b))), np.zeros((*x.shape[:2], len(b)))
    now[:, units] = values
    for t in range(len(x)):
        now = x[t] @ W_x.T + now @ W_h.T + b
        now[:, units] = values
        now = h[t] = np.maximum(0, now)
    return h


ALLOWED = {
    "activations.tanh": "it is np.tanh, a tool of the exercise",
    "activations.tanh_grad": "1 - h², which the text of the exercise says itself",
}
_ORDER = "a product of two vectors, or the larger of two numbers, is the same in both orders"
_CENTRED = "one of the two factors without its mean is enough: the other's mean then adds 0"
_MARGIN = "no eigenvalue of the examples has a size of exactly 1, as rounding would decide"
_AROUND = "counting_unit: around, d = (h - h.mean(axis=0), depth - depth.mean()) → around, d = "
_WORD = "stability: word = 'attracts' if sizes.max() < 1 else 'repels' if sizes.min() > 1 else 'saddle' → word = "
SURVIVORS = {
    "connectivity: s[t] = x[t] @ (W_x.T @ dz) → s[t] = W_x.T @ dz @ x[t]": _ORDER,
    "ablated: now = np.maximum(0, x[t] @ W_x.T + now @ W_h.T + b) → now = np.maximum(x[t] @ W_x.T + now @ W_h.T + b, 0)": _ORDER,
    f"{_AROUND}(h + h.mean(axis=0), depth - depth.mean())": _CENTRED,
    f"{_AROUND}(h, depth - depth.mean())": _CENTRED,
    f"{_AROUND}(h - h.mean(axis=0), depth + depth.mean())": _CENTRED,
    f"{_AROUND}(h - h.mean(axis=0), depth)": _CENTRED,
    "counting_unit: r = around.T @ d / len(d) / (np.where(sd > 0, sd, 1) * d.std()) → r = around.T @ d / len(d) / (np.where(sd > 0, sd, 2) * d.std())": "0 divided by 1 or by 2 is 0",
    f"{_WORD}'attracts' if sizes.max() <= 1 else 'repels' if sizes.min() > 1 else 'saddle'": _MARGIN,
    f"{_WORD}'attracts' if sizes.max() < 1 else 'repels' if sizes.min() >= 1 else 'saddle'": _MARGIN,
}
