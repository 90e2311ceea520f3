"""Wrong answers to the exercises of 15_limits, each once, each with its cause."""

import numpy as np

EDITS = {
    "memoryless_line": {
        "the logarithm has base 2; nats are asked": "np.log(p) → np.log2(p)",
        "the losses of the steps are summed; their mean is asked": "loss / targets.shape[1] → loss",
        "it is divided by the sequences, not by the steps": "loss / targets.shape[1] → loss / len(targets)",
        "a sign is wrong": "loss -= → loss +=",
        "the factor p before the logarithm is missing": "(p * np.log(p)).sum() → np.log(p).sum()",
        "the shares are those of a sequence; those of a step are asked": "targets.T → targets; loss / targets.shape[1] → loss / len(targets); / len(column) → / targets.shape[1]",
        "every symbol that occurs is taken as equally likely": "(p * np.log(p)).sum() → np.log(1 / len(p))",
        "these are counts, not shares": " / len(column) → ",
        "": ["(p * np.log(p)).sum() → p.max() - 1", "(p * np.log(p)).sum() → np.log(p.max())"],
        "the shares are those of all steps together": "np.unique(column, return_counts=True)[1] / len(column) → np.unique(targets, return_counts=True)[1] / targets.size",
        "0 ln 0 counts as 0: a symbol that does not occur adds nothing": "np.unique(column, return_counts=True)[1] / → np.bincount(column, minlength=targets.max() + 1) /",
    },
    "remembered": {
        "these are the symbols that are guessed; S minus them are remembered": "S - L * → L *",
        "a sequence has delay + 2 S steps: S to read, the delay, S to write": "(delay + 2 * S) → (delay + S)",
        "only the S steps at the end are counted; L is the mean over all steps": "(delay + 2 * S) → S",
        "L is a mean over all steps: multiply it by their number": "L * (delay + 2 * S) → L",
        "a guess costs ln K, not K": "np.log(K) → K",
        "the logarithm has base 2; L is in nats": "np.log(K) → np.log2(K)",
        "a guess among K kinds costs ln K, not ln S": "np.log(K) → np.log(S + (S == 1))",
        "it is the share of the symbols, not their number": "S - L * (delay + 2 * S) / np.log(K) → 1 - L * (delay + 2 * S) / np.log(K) / S",
        "": "2 * S → 20",
        "a negative m is asked as it comes out": "S - L * (delay + 2 * S) / np.log(K) → max(S - L * (delay + 2 * S) / np.log(K), 0.0)",
    },
    "merge_matrices": {
        "the matrices stand in the wrong order: the first step acts first, on the right": "A_2 @ A_1 → A_1 @ A_2",
        "first and second are exchanged: b_1 goes through the second step": [
            "(A_2 @ b_1[..., None])[..., 0] + b_2 → (A_1 @ b_2[..., None])[..., 0] + b_1",
            "A_2 @ A_1, (A_2 @ b_1[..., None])[..., 0] + b_2 → A_1 @ A_2, (A_1 @ b_2[..., None])[..., 0] + b_1",
        ],
        "b_1 goes through the second step: it must be multiplied by A_2": "(A_2 @ b_1[..., None])[..., 0] + b_2 → b_1 + b_2",
        "b_1 is multiplied by A_1; it comes after the first step": "(A_2 @ b_1 → (A_1 @ b_1",
        "b_2 is missing": "[..., 0] + b_2 → [..., 0]",
        "b_2 is multiplied by A_2, too": "(A_2 @ b_1[..., None])[..., 0] + b_2 → (A_2 @ (b_1 + b_2)[..., None])[..., 0]",
        "A is the product entry by entry; the matrix product is @": "A_2 @ A_1 → A_2 * A_1",
        "A_2 is transposed where it meets b_1": "(A_2 @ b_1 → (A_2.swapaxes(-1, -2) @ b_1",
        "A is the sum of the matrices": "A_2 @ A_1 → A_2 + A_1",
        "A and b are exchanged": "return A, b → return b, A",
        "A is transposed: the entry in row i, column j says what h_0[j] gives to h_2[i]": "A_2 @ A_1 → (A_2 @ A_1).swapaxes(-1, -2)",
        "b_1 is missing": "(A_2 @ b_1[..., None])[..., 0] + b_2 → b_2",
    },
    "associativity_gap": {
        "the distance of a is larger than that of b, and is left out": [
            "zip(left, right, strict=True) → [(left[1], right[1])]",
            "return max( → return min(",
        ],
        "only a is looked at; b counts, too": "zip(left, right, strict=True) → [(left[0], right[0])]",
        "the distances are added over a and b; the largest is asked": "return max( → return sum(",
        "the absolute value is missing": "abs(p - q).max() → (p - q).max()",
        "it is the mean distance of the entries; the largest is asked": "abs(p - q).max() → abs(p - q).mean()",
        "both ways give the same; do both call merge, and do they group differently?": "merge(a[0], b[0], *merge(a[1], b[1], a[2], b[2])) → merge(*merge(a[0], b[0], a[1], b[1]), a[2], b[2])",
        "the second way puts the steps in another order: step 1 comes first": "merge(a[0], b[0], *merge(a[1], b[1], a[2], b[2])) → merge(*merge(a[1], b[1], a[2], b[2]), a[0], b[0])",
        "the second way merges step 3 with step 2: step 2 comes first": "*merge(a[1], b[1], a[2], b[2])) → *merge(a[2], b[2], a[1], b[1]))",
        "two steps are exchanged: that asks whether the merge is commutative": [
            "left = merge(*merge(a[0], b[0], a[1], b[1]), a[2], b[2]) → left = merge(a[0], b[0], a[1], b[1]); right = merge(a[0], b[0], *merge(a[1], b[1], a[2], b[2])) → right = merge(a[1], b[1], a[0], b[0])",
        ],
        "": [
            "abs(p - q).max() → ((p - q) ** 2).max()",
            "merge(*merge(a[0], b[0], a[1], b[1]), a[2], b[2]) → merge(a[2], b[2], *merge(a[0], b[0], a[1], b[1]))",
        ],
    },
    "prefixes": {
        "they overlap. The distance doubles from round to round": [
            "d = 2**r → d = r + 1",
            "d = 2**r → d = 1",
        ],
        "they are exchanged; the earlier one comes first": "merge(a[:-d], b[:-d], a[d:], b[d:]) → merge(a[d:], b[d:], a[:-d], b[:-d])",
        "a step between them is missing; the first distance is 1": "d = 2**r → d = 2 ** (r + 1)",
        "one round is done; go on with 2, 4, 8 … places": "d >= len(b) → r",
        "there is one round too few": [
            "if d >= len(b) → if 2 * d >= len(b)",
        ],
        "merge got arrays of different lengths": [
            "merge(a[:-d], b[:-d], a[d:], b[d:]) → merge(a[:-d], b[:-d], a[d:], b)",
        ],
        "a and b are exchanged": "return a, b → return b, a",
        "": "return a, b → return a[-1:], b[-1:]",
        "the first entries stay as they are: they are missing": "np.concatenate([a[:d], new_a]), np.concatenate([b[:d], new_b]) → new_a, new_b",
        "the entries that stay are those of the end; the first entries stay": "np.concatenate([a[:d], new_a]), np.concatenate([b[:d], new_b]) → np.concatenate([new_a, a[-d:]]), np.concatenate([new_b, b[-d:]])",
    },
    "scan": {
        "h_0 is missing": "a * h_0 + b → b + 0 * h_0",
        "h_0 is added as it is; it must be multiplied by the a of the prefix": "a * h_0 + b → h_0 + b",
        "b is multiplied by a, too": "a * h_0 + b → a * (h_0 + b)",
        "a and b are exchanged": "prefixes(merge_units, a, b) → prefixes(merge_units, b, a)",
        "b is missing": "a * h_0 + b → a * h_0",
        "these are a and b of single steps, not of the prefixes": "a, b = prefixes(merge_units, a, b) → a, b = a, b",
        "the a of the prefixes is left out: h_0 is multiplied by the a of one step": "a, b = prefixes(merge_units, a, b) → b = prefixes(merge_units, a, b)[1]",
        "the parts of the prefixes are exchanged: a comes first": "a, b = prefixes( → b, a = prefixes(",
        "there is one step too many, the first; is it the initial state?": "return a * h_0 + b → return np.concatenate([h_0[None], a * h_0 + b])",
        "it is one step late": "return a * h_0 + b → return np.concatenate([h_0[None], a * h_0 + b])[: len(b)]",
        "only the last": "return a * h_0 + b → return (a * h_0 + b)[-1]",
    },
    "scan_backward": {
        "g_t uses a_t; the factor between g_t and g_{t+1} is a_{t+1}": "after = np.concatenate([a[1:], a[:1]]) → after = a",
        "g_t uses a_{t-1}; the factor between g_t and g_{t+1} is a_{t+1}": "np.concatenate([a[1:], a[:1]]) → np.concatenate([a[-1:], a[:-1]])",
        "time runs forward; g begins at the end": "scan(after[::-1], dh[::-1], np.zeros_like(h_0))[::-1] → scan(a, dh, 0 * h_0)",
        "g is not turned back: its first entry belongs to the last step": "np.zeros_like(h_0))[::-1] → np.zeros_like(h_0))",
        "a is not turned round, dh is": "scan(after[::-1], → scan(after,",
        "dh is not turned round, a is": "dh[::-1] → dh",
        "behind the last step comes nothing: g begins with 0, not with h_0": "np.zeros_like(h_0))[::-1] → h_0)[::-1]; after[::-1] → np.concatenate([a[1:], 0 * a[:1] + 1])[::-1]",
        "da_t is multiplied by h_t; h_{t-1} is asked": "g * before → g * h",
        "before the first state stands h_0, not 0": "np.concatenate([h_0[None], → np.concatenate([0 * h_0[None],",
        "dh_0 is g_1; a_1 is missing": "g, a[0] * g[0] → g, g[0]",
        "da and db are exchanged": "return g * before, g, → return g, g * before,",
        "dh alone is taken for g: nothing comes from later states": "g = scan(after[::-1], dh[::-1], np.zeros_like(h_0))[::-1] → g = dh",
        "dh_0 is made of the last step": "a[0] * g[0] → a[-1] * g[-1]",
        "dh_0 is summed over the steps; h_0 is used in the first alone": "a[0] * g[0] → (a * g).sum(axis=0)",
        "da holds h_{t-1} alone; g_t is missing": "return g * before → return before",
    },
    "mingru": {
        "z and 1 - z are exchanged": "scan(1 - z, z * candidate, h_0) → scan(z, (1 - z) * candidate, h_0)",
        "z is missing before the candidate": "z * candidate → candidate",
        "the old state is kept whole: 1 - z is missing": "scan(1 - z, → scan(1 + 0 * z,",
        "z stands before the old state, too: it is 1 - z": "scan(1 - z, → scan(z,",
        "a tanh is taken of the candidate; minGRU has none": "candidate = x @ W_h.T + b_h → candidate = np.tanh(x @ W_h.T + b_h)",
        "a sigmoid is taken of the candidate": "candidate = x @ W_h.T + b_h → candidate = sigmoid(x @ W_h.T + b_h)",
        "the sigmoid of the gate is missing": "sigmoid(x @ W_z.T + b_z) → x @ W_z.T + b_z",
        "b_z is missing": "W_z.T + b_z → W_z.T",
        "b_h is missing": "W_h.T + b_h → W_h.T",
        "the biases are exchanged": "W_z.T + b_z → W_z.T + b_h; W_h.T + b_h → W_h.T + b_z",
        "the weights of gate and candidate are exchanged": "x @ W_z.T → x @ W_h.T; candidate = x @ W_h.T → candidate = x @ W_z.T",
        "h_0 is not used": "z * candidate, h_0) → z * candidate, 0 * h_0)",
        "1 - z stands before the candidate, too: it is z": "z * candidate, h_0 → (1 - z) * candidate, h_0",
        "does a matrix need .T": "W_z.T → W_z",
    },
    "mingru_backward": {
        "z acts in a = 1 - z, too: the term with da is missing": "(db * candidate - da) → (db * candidate)",
        "z acts in b = z h̃, too: the term with db is missing": "(db * candidate - da) → (-da)",
        "a = 1 - z falls when z grows: da needs a minus sign": "db * candidate - da → db * candidate + da",
        "the derivative of the sigmoid is missing": " * z * (1 - z)\n → \n",
        "the derivative of the sigmoid is z (1 - z); 1 - z is missing": " * z * (1 - z)\n →  * z\n",
        "the derivative of the sigmoid is z (1 - z); z is missing": " * z * (1 - z)\n →  * (1 - z)\n",
        "the candidate reaches b_t through z: a factor is missing": "new = db * z → new = db",
        "the candidate reaches b_t through z, not through 1 - z": "new = db * z → new = db * (1 - z)",
        "x reaches the state through the gate, too": "gate @ W_z + new @ W_h → new @ W_h",
        "x reaches the state through the candidate, too": "gate @ W_z + new @ W_h → gate @ W_z",
        "the weights are exchanged in dx": "gate @ W_z + new @ W_h → gate @ W_h + new @ W_z",
        "the weights are used at every step: the sum over time is missing": "gate.sum(axis=(0, 1)) → gate[0].sum(axis=0); new.sum(axis=(0, 1)) → new[0].sum(axis=0)",
        "": 'np.einsum("tbh,tbi->hi", d, x) → d[-1].T @ x[-1]; gate.sum(axis=(0, 1)) → gate[-1].sum(axis=0); new.sum(axis=(0, 1)) → new[-1].sum(axis=0)',
        "the gradients are means over time and batch; sums are asked": 'np.einsum("tbh,tbi->hi", d, x) for → np.einsum("tbh,tbi->hi", d, x) / d[..., 0].size for; gate.sum( → gate.mean(; new.sum( → new.mean(',
        "gate and candidate are exchanged in the results": "return dx, dh_0, dW_z, gate.sum(axis=(0, 1)), dW_h, new.sum(axis=(0, 1)) → return dx, dh_0, dW_h, new.sum(axis=(0, 1)), dW_z, gate.sum(axis=(0, 1))",
        "a is the share that is kept, 1 - z": "scan_backward(dh, 1 - z, h, h_0) → scan_backward(dh, z, h, h_0)",
        "dW is transposed": '"tbh,tbi->hi" → "tbh,tbi->ih"',
        "the gate gets the gradient through h_t in place of the candidate": "db * candidate - da → db * h - da",
    },
    "remainder_matrices": {
        "that takes digits away: rows and columns are exchanged, or x is subtracted": [
            "np.eye(m)[place].swapaxes(1, 2) → np.eye(m)[place]",
            "j + x[:, None] → j - x[:, None]",
        ],
        "m - 1 moves on to 0: the remainder is missing": "(j + x[:, None]) % m → np.minimum(j + x[:, None], m - 1)",
        "an index is too large": "(j + x[:, None]) % m → j + x[:, None]",
        "every digit moves by 1": "(j + x[:, None]) % m → (j + 1 + 0 * x[:, None]) % m",
        "the digits are added up first": "j + x[:, None] → j + x.cumsum()[:, None]",
        "the place is multiplied by the digit, not moved by it": "j + x[:, None] → j * x[:, None]",
        "all places move to x, whatever they are": "j + x[:, None] → 0 * j + x[:, None]",
        "has dtype": "np.eye(m) → np.eye(m, dtype=int)",
        "each digit moves by one more": "j + x[:, None] → j + 1 + x[:, None]",
        "nothing moves: every matrix is the identity": "j + x[:, None] → j + 0 * x[:, None]",
        "each column needs a 1, not the first alone": "return np.eye(m)[place].swapaxes(1, 2) → return np.eye(m)[place].swapaxes(1, 2) * np.eye(m)[0]",
    },
    "longest_parity": {
        "a change that equals the gap is visible": ">= gap → > gap",
        "one unit with a visible change is enough": "changes.max(axis=1) → changes.min(axis=1)",
        "the changes of the units are added; look at each unit for itself": "changes.max(axis=1) → changes.sum(axis=1)",
        "the absolute value of the change is missing": "abs(a * h_0 + b - h_0) → a * h_0 + b - h_0",
        "it is the first state that is looked at, not its change": "abs(a * h_0 + b - h_0) → abs(a * h_0 + b)",
        "the count begins one step late: step 1 is the change from h_0": "np.arange(most) → np.arange(1, most + 1)",
        "it is the number of the first step without a visible change": "return int((changes.max(axis=1) >= gap).sum()) → return int((changes.max(axis=1) >= gap).sum()) + 1",
        "the visible changes of all units are counted together": "(changes.max(axis=1) >= gap) → (changes >= gap)",
        "these are not the changes from step to step; the first is a h_0 + b - h_0": "abs(a * h_0 + b - h_0) → abs(b)",
        "every step is counted; does what you compare with the gap come closer to 0?": "a ** np.arange(most)[:, None] * change → np.ones((most, 1)) * change",
        "most is not looked at": "np.arange(most) → np.arange(1000)",
        "": [
            "changes.max(axis=1) → changes.mean(axis=1)",
            "abs(a * → abs((1 - a) *",
            "a ** np.arange(most)[:, None] → (1 - a) ** np.arange(most)[:, None]",
        ],
        "a is the share that is kept; 1 - a stands in its place": "abs(a * → abs((1 - a) * ; a ** → (1 - a) **",
        "the invisible steps are counted": ">= gap → < gap",
    },
}


def prefixes__one_after_the_other(merge, a, b):
    """One call merges many pairs: hand over arrays of steps"""
    a, b = a.copy(), b.copy()
    for t in range(1, len(b)):
        a[t : t + 1], b[t : t + 1] = merge(a[t - 1 : t], b[t - 1 : t], a[t : t + 1], b[t : t + 1])
    return a, b


def prefixes__a_before_b(merge, a, b):
    """the new a and the new b of a round both come from the round before"""
    for r in range((len(b) - 1).bit_length()):
        d = 2**r
        a = np.concatenate([a[:d], merge(a[:-d], b[:-d], a[d:], b[d:])[0]])
        b = np.concatenate([b[:d], merge(a[:-d], b[:-d], a[d:], b[d:])[1]])
    return a, b


def prefixes__all_round(merge, a, b):
    """nothing stands before the first entries: they stay as they are"""
    for r in range((len(b) - 1).bit_length()):
        d = 2**r
        a, b = merge(np.roll(a, d, axis=0), np.roll(b, d, axis=0), a, b)
    return a, b


def prefixes__pairs_alone(merge, a, b):
    """a step between them is missing"""
    a, b = a.copy(), b.copy()
    for r in range((len(b) - 1).bit_length()):
        d = 2**r
        n = len(b[d :: 2 * d])
        first, second = np.s_[0 :: 2 * d], np.s_[d :: 2 * d]
        a[second], b[second] = merge(a[first][:n], b[first][:n], a[second], b[second])
    return a, b


def memoryless_line__without_the_last_kind(targets):
    """the largest symbol is left out"""
    kinds = range(targets.max())
    p = np.array([(targets == k).mean(axis=0) for k in kinds] + [0 * targets[0]])
    return -(p * np.log(np.where(p > 0, p, 1.0))).sum() / targets.shape[1]


def scan__divided_by_the_product(a, b, h_0):
    """a finite number is expected"""
    kept = np.cumprod(a, axis=0)
    return kept * (h_0 + np.cumsum(b / kept, axis=0))


def scan__h_0_at_every_step(a, b, h_0):
    """h_0 stands before the first step alone; here every step adds a h_0"""
    return prefixes(merge_units, a, b + a * h_0)[1]


def mingru_backward__dh_alone(dh, x, h_0, W_z, b_z, W_h, b_h):
    """dh alone is taken: nothing comes back from later states"""
    z = sigmoid(x @ W_z.T + b_z)
    candidate = x @ W_h.T + b_h
    h = scan(1 - z, z * candidate, h_0)
    gate = dh * (candidate - np.concatenate([h_0[None], h[:-1]])) * z * (1 - z)
    new = dh * z
    dW_z, dW_h = (np.einsum("tbh,tbi->hi", d, x) for d in (gate, new))
    dx, dh_0 = gate @ W_z + new @ W_h, dh[0] * (1 - z[0])
    return dx, dh_0, dW_z, gate.sum(axis=(0, 1)), dW_h, new.sum(axis=(0, 1))


def longest_parity__distance_from_the_limit(a, b, h_0, gap, most):
    """the change of a step is asked, not the distance from the limit"""
    limit = b / (1 - a)
    distance = a ** np.arange(1, most + 1)[:, None] * abs(h_0 - limit)
    return int((distance.max(axis=1) >= gap).sum())


def mingru__step_by_step_with_new_state(x, h_0, W_z, b_z, W_h, b_h):
    """every step begins at h_0: the state is not carried on"""
    z = sigmoid(x @ W_z.T + b_z)
    return (1 - z) * h_0 + z * (x @ W_h.T + b_h)


def longest_parity__last_state(a, b, h_0, gap, most):
    """every step is counted; does what you compare with the gap come closer to 0?"""
    h, steps = h_0, 0
    for _ in range(most):
        h = a * h + b
        steps += int(abs(h).max() >= gap)
    return steps


_DISTANCE = "associativity_gap: return max((abs(p - q).max() for p, q in zip({}))) → return max((abs(p - q).max() for p, q in zip({})))"
_PAIR = "left, right, strict=True"
SURVIVORS = {
    "merge_matrices: A, b = (A_2 @ A_1, (A_2 @ b_1[..., None])[..., 0] + b_2) → A, b = (A_2 @ A_1, (A_2 @ b_1[..., None])[..., -1] + b_2)": "the axis has size 1: the first entry is the last",
    _DISTANCE.format(_PAIR, "right, left, strict=True"): "a distance is the same from either side",
    _DISTANCE.format(_PAIR, "left, right, strict=False"): "both are pairs, of the same length",
    "prefixes: if d >= len(b): → if d > len(b):": "at a distance of T there is no pair to merge: one round more that changes nothing",
    "remainder_matrices: return np.eye(m)[place].swapaxes(1, 2) → return np.eye(m)[place].swapaxes(2, 1)": "two axes are exchanged in either order",
}

ALLOWED = {"activations.sigmoid": "the notebook gives it"}
