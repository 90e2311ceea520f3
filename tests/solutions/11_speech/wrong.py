"""Wrong answers to the exercises of 11_speech. tools/exercises.py says how they are written."""

import itertools

import numpy as np

EDITS = {
    "log_mel": {
        "the amplitude is taken, not the power": "power = np.abs(np.fft.rfft(frames * window)) ** 2 → power = np.abs(np.fft.rfft(frames * window))",
        "the frames are not multiplied by the window": "frames * window → frames",
        "the logarithm has the base 10": "np.log( → np.log10(",
        "a finite number is expected": "np.maximum(power @ filters.T, 1e-10) → power @ filters.T",
        "1e-10 is added to each energy; it is the smallest that counts": "np.maximum(power @ filters.T, 1e-10) → power @ filters.T + 1e-10",
        "1e-10 is the smallest energy, not the smallest power": "np.maximum(power @ filters.T, 1e-10) → np.maximum(power, 1e-10) @ filters.T",
        "the logarithm is taken before the filters": "np.log(np.maximum(power @ filters.T, 1e-10)) → np.log(np.maximum(power, 1e-10)) @ filters.T",
        "only the real part is squared": "np.abs(np.fft.rfft(frames * window)) → np.fft.rfft(frames * window).real",
        "it is transposed": "np.log(np.maximum(power @ filters.T, 1e-10)) → np.log(np.maximum(filters @ power.T, 1e-10))",
        "": [
            "np.fft.rfft(frames * window) → np.fft.rfft(frames * window, axis=0)",
            "np.abs(np.fft.rfft(frames * window)) ** 2 → np.abs(np.fft.rfft(frames * window)) ** 2 / W",
            "np.abs(np.fft.rfft(frames * window)) ** 2 → np.fft.rfft(frames * window) ** 2",
        ],
    },
    "collapse": {
        "blanks are struck out first, so that nothing keeps two equal labels apart": "before = k → before = k or before",
        "repeats are not struck out": "k != before and k != 0 → k != 0",
        "blanks are not struck out": "k != before and k != 0 → k != before",
        "a label that came earlier is never said again": "k != before and k != 0 → k not in labels and k != 0",
        "a list is expected": "return labels → return np.array(labels)",
        "a `return` stands inside the loop": "    return labels →         return labels",
        "the first label is lost": "for k in path: → before = path[:1]\n    for k in path[1:]:",
    },
    "ways": {
        "equal labels need a blank": "z[n] != z[n - 2] → z[n] != 0",
        "a skip leads to a blank, too": "n > 1 and z[n] != z[n - 2] → n > 1",
        "no blank is ever skipped": "n - 2 if n > 1 and z[n] != z[n - 2] else max(0, n - 1) → max(0, n - 1)",
        "begin in state 0 or 1": "log_alpha[0, :2] = log_y[0, z[:2]] → log_alpha[0] = log_y[0, z]",
        "a path may begin in state 1": "log_alpha[0, :2] = log_y[0, z[:2]] → log_alpha[0, 0] = log_y[0, 0]",
        "y of this frame is missing": "log_y[t, z[n]] + np.logaddexp → np.logaddexp",
        "sum probabilities, not logarithms": "np.logaddexp.reduce → np.sum",
        "only the likeliest way counts": "np.logaddexp.reduce → np.max",
        "ways that stay are missing": "first : n + 1 → first : n",
        "probabilities are returned, not their logarithms": "return log_alpha → return np.exp(log_alpha)",
        "log 0 is -inf, not 0": "np.full((len(log_y), len(z)), -np.inf) → np.zeros((len(log_y), len(z)))",
        "an index is too large": "log_y[t, z[n]] → log_y[t, n]",
    },
    "ctc": {
        "a sign is wrong": [
            "return -log_p, dlogits → return log_p, dlogits",
            "return -log_p, dlogits → return -log_p, -dlogits",
        ],
        "": [
            "return -log_p → return -log_p / max(1, len(labels))",
            "dlogits = np.exp(log_y) → dlogits = log_y.copy()",
            "return -log_p → return -np.exp(log_p)",
            "np.subtract.at(dlogits.T, z, np.exp(log_paths - log_p).T) → pass",
        ],
        "each frame's y counts twice; divide by it": " - log_y[:, z] → ",
        "divide by y: alpha and beta both count it": " - log_y[:, z] → ; np.logaddexp.reduce(log_paths[0]) → np.logaddexp.reduce(ways(log_y, labels)[-1, -2:])",
        "a path may end in the last label, too": "np.logaddexp.reduce(log_paths[0]) → ways(log_y, labels)[-1, -1]",
        "only one state of each class is counted": "np.subtract.at(dlogits.T, z, np.exp(log_paths - log_p).T) → dlogits[:, z] = dlogits[:, z] - np.exp(log_paths - log_p)",
        "the shares are not divided by p": "np.exp(log_paths - log_p) → np.exp(log_paths)",
        "y is missing": "dlogits = np.exp(log_y) → dlogits = np.zeros(log_y.shape)",
        "p is the sum at one frame, not at all": "np.logaddexp.reduce(log_paths[0]) → np.logaddexp.reduce(log_paths, axis=None)",
        "the labels do not fit: decide this case first": "log_p == -np.inf → False",
        "the labels do not fit, and the loss is inf": "return np.inf → return 0.0",
        "the labels do not fit, and the gradient is 0": "np.zeros(log_y.shape) → np.exp(log_y)",
        "yours gave": "return -log_p, dlogits → return dlogits",
    },
    "next_frame": {
        "a repeat without a blank is no new label": "prefix[-1:] == (k,) → False",
        "a repeat of the last label is missing": "add(grown, prefix, 0.0, p_label * y_t[k]) → pass",
        "behind a blank the last label may come again": "add(grown, (*prefix, k), 0.0, p_blank * y_t[k]) → pass",
        "a blank may come behind a label, too": "(p_blank + p_label) * y_t[0] → p_blank * y_t[0]",
        "a blank may come behind a blank, too": "(p_blank + p_label) * y_t[0] → p_label * y_t[0]",
        "another label may come behind a label, too": "(p_blank + p_label) * y_t[k] → p_blank * y_t[k]",
        "another label may come behind a blank, too": "(p_blank + p_label) * y_t[k] → p_label * y_t[k]",
        "a repeat takes paths that end in a blank, too": "prefix, 0.0, p_label * → prefix, 0.0, (p_blank + p_label) *",
        "behind a repeat the path ends in a label": "add(grown, prefix, 0.0, p_label * y_t[k]) → add(grown, prefix, p_label * y_t[k], 0.0)",
        "the last label is new only behind a blank": "(*prefix, k), 0.0, p_blank * y_t[k] → (*prefix, k), 0.0, (p_blank + p_label) * y_t[k]",
        "add up the ways to one prefix": [
            "add(grown, (*prefix, k), 0.0, (p_blank + p_label) * y_t[k]) → grown[*prefix, k] = [0.0, (p_blank + p_label) * y_t[k]]",
            "add(grown, prefix, (p_blank + p_label) * y_t[0], 0.0) → grown[prefix] = [(p_blank + p_label) * y_t[0], 0.0]",
            "add(grown, prefix, 0.0, p_label * y_t[k]) → grown[prefix][1] = p_label * y_t[k]",
        ],
        "p_blank comes first in a pair": "(p_blank, p_label) in → (p_label, p_blank) in",
        "the blank is taken for a label": "range(1, len(y_t)) → range(len(y_t))",
        "the label is put in front of the prefix": "add(grown, (*prefix, k), 0.0, (p_blank → add(grown, (k, *prefix), 0.0, (p_blank",
        "p_blank and p_label are exchanged": "add(grown, prefix, (p_blank + p_label) * y_t[0], 0.0) → add(grown, prefix, 0.0, (p_blank + p_label) * y_t[0])",
        "the old beam is still in it": "grown = {} → grown = dict(beam)",
    },
    "word_errors": {
        "a replaced word is one error, not two": [
            "+ differ) → + 2 * differ)",
            ", d[i - 1, j - 1] + differ) → , d[i - 1, j - 1] + 9 * differ)",
        ],
        "two equal words cost nothing": "+ differ) → + 1)",
        "words that are left out are errors, too": "d[i - 1, j] + 1 → d[i - 1, j]",
        "words that are put in are errors, too": "d[i, j - 1] + 1 → d[i, j - 1]",
        "against nothing, each word of the reference is an error": "d[:, 0], d[0] = np.arange(N + 1), np.arange(M + 1) → d[0] = np.arange(M + 1)",
        "against nothing, each word of the hypothesis is an error": "d[:, 0], d[0] = np.arange(N + 1), np.arange(M + 1) → d[:, 0] = np.arange(N + 1)",
        "against nothing, each word is an error": "d[:, 0], d[0] = np.arange(N + 1), np.arange(M + 1) → pass",
        "": "min(d → max(d",
        "the last entry of d is asked": "int(d[-1, -1]) → int(d.min())",
        "a number is expected": "int(d[-1, -1]) → d",
    },
    "report": {
        "what is scored was heard in training": [
            "heard = evaluate(~held, held) → heard = evaluate(~held | held, held)"
        ],
        "never heard: other takes of the speaker were": "evaluate(speaker != s, mine) → evaluate(~mine, mine)",
        "never heard: others' take 0 may be in training, too": "evaluate(speaker != s, mine) → evaluate((speaker != s) & ~held, mine)",
        "never heard: take 0 alone is scored": "never = evaluate(speaker != s, mine) → never = evaluate(speaker != s, speaker == s); never[mine].sum() → never[speaker == s].sum()",
        "the last row is the mean of the rows": "errors.sum(axis=0) / counts.sum() → (errors / counts).mean(axis=0)",
        "the errors are divided by recordings, not words": "words[mine].sum() → mine.sum()",
        "the words of other takes are counted, too": "words[mine].sum() → words[speaker == s].sum()",
        "NaN: sum the tested entries alone": "heard[mine].sum() → heard.sum()",
        "": [
            "np.vstack([errors / counts, errors.sum(axis=0) / counts.sum()]) → errors / counts",
            "np.vstack([errors / counts, errors.sum(axis=0) / counts.sum()]) → np.minimum(1.0, np.vstack([errors / counts, errors.sum(axis=0) / counts.sum()]))",
            "errors[s] = heard[mine].sum(), never[mine].sum() → errors[s] = never[mine].sum(), heard[mine].sum()",
            "np.vstack([errors / counts, errors.sum(axis=0) / counts.sum()]) → np.vstack([errors, errors.sum(axis=0)])",
        ],
        "heard before: the other speakers are heard, too": "never = evaluate → heard = evaluate((speaker == s) & ~held, mine)\n        never = evaluate",
        "heard before: nobody's take 0 is in training": "never = evaluate → heard = evaluate(~mine, mine)\n        never = evaluate",
        "the mean of the recordings' rates is taken": "words[mine].sum() → mine.sum(); heard = evaluate(~held, held) → heard = evaluate(~held, held) / words; never = evaluate(speaker != s, mine) → never = evaluate(speaker != s, mine) / words",
    },
}


def collapse__last_run_open(path):
    """the last label is missing: its frames end with the path"""
    labels = []
    for k, behind in itertools.pairwise(path):
        if k != behind and k != 0:
            labels.append(int(k))
    return labels


def collapse__first_entry(path):
    """no first and no last entry"""
    labels, before = [int(path[0])] if path[0] else [], path[0]
    for k in path[1:]:
        if k != before and k != 0:
            labels.append(int(k))
        before = k
    return labels


def ways__too_small(log_y, labels):
    """too small for a float: add logarithms"""
    y, z = np.exp(log_y), with_blanks(labels)
    alpha = np.zeros((len(y), len(z)))
    alpha[0, :2] = y[0, z[:2]]
    for t in range(1, len(y)):
        for n in range(len(z)):
            first = n - 2 if n > 1 and z[n] != z[n - 2] else max(0, n - 1)
            alpha[t, n] = y[t, z[n]] * alpha[t - 1, first : n + 1].sum()
    return np.log(alpha)


def ways__product_of_floats(log_y, labels):
    """np.exp is too small; np.logaddexp"""
    z = with_blanks(labels)
    log_alpha = np.full((len(log_y), len(z)), -np.inf)
    log_alpha[0, :2] = log_y[0, z[:2]]
    for t in range(1, len(log_y)):
        for n in range(len(z)):
            first = n - 2 if n > 1 and z[n] != z[n - 2] else max(0, n - 1)
            sums = np.exp(log_alpha[t - 1, first : n + 1]).sum()
            log_alpha[t, n] = log_y[t, z[n]] + np.log(sums)
    return log_alpha


def ways__from_the_end(log_y, labels):
    """index -1 is the last state; before state 0 is nothing"""
    z = with_blanks(labels)
    log_alpha = np.full((len(log_y), len(z)), -np.inf)
    log_alpha[0, :2] = log_y[0, z[:2]]
    for t in range(1, len(log_y)):
        for n in range(len(z)):
            told = np.logaddexp(log_alpha[t - 1, n], log_alpha[t - 1, n - 1])
            if z[n] != 0 and z[n] != z[n - 2]:
                told = np.logaddexp(told, log_alpha[t - 1, n - 2])
            log_alpha[t, n] = log_y[t, z[n]] + told
    return log_alpha


def ctc__too_small(log_y, labels):
    """too small for a float: stay with logarithms"""
    z, y = with_blanks(labels), np.exp(log_y)
    beta = np.exp(ways(log_y[::-1], labels[::-1])[::-1, ::-1])
    paths = np.exp(ways(log_y, labels)) * beta / np.maximum(y[:, z], 1e-300)
    p = paths[0].sum()
    if p == 0:
        return np.inf, np.zeros(log_y.shape)
    for n, k in enumerate(z):
        y[:, k] -= paths[:, n] / p
    return -np.log(p), y


def next_frame__replaced(beam, y_t):
    """add up the ways to one prefix"""
    grown = {}
    for prefix, (p_blank, p_label) in beam.items():
        stays = p_label * y_t[prefix[-1]] if prefix else 0.0
        grown[prefix] = [(p_blank + p_label) * y_t[0], stays]
        for k in range(1, len(y_t)):
            p = p_blank if prefix[-1:] == (k,) else p_blank + p_label
            grown[*prefix, k] = [0.0, p * y_t[k]]
    return grown


def word_errors__in_place(reference, hypothesis):
    """the words are compared place by place; one left out moves all behind it"""
    same = sum(r == h for r, h in zip(reference, hypothesis, strict=False))
    return max(len(reference), len(hypothesis)) - same


def word_errors__exchanged(reference, hypothesis):
    """two words in the other order are two errors"""
    N, M = len(reference), len(hypothesis)
    d = np.add.outer(np.arange(N + 1), np.arange(M + 1))
    for i in range(1, N + 1):
        for j in range(1, M + 1):
            differ = reference[i - 1] != hypothesis[j - 1]
            d[i, j] = min(d[i - 1, j] + 1, d[i, j - 1] + 1, d[i - 1, j - 1] + differ)
            if i > 1 and j > 1 and reference[i - 2 : i] == hypothesis[j - 2 : j][::-1]:
                d[i, j] = min(d[i, j], d[i - 2, j - 2] + 1)
    return d[-1, -1]


def word_errors__as_sets(reference, hypothesis):
    """"""
    left, put = set(reference) - set(hypothesis), set(hypothesis) - set(reference)
    return max(len(left), len(put))


ALLOWED = {"activations.softmax": "it turns log y back into y, as np.exp does"}
SURVIVORS = {
    "log_mel: return np.log(np.maximum(power @ filters.T, 1e-10)) → return np.log(np.maximum(1e-10, power @ filters.T))": "the larger of two is the same in either order",
    "collapse: labels, before = ([], 0) → labels, before = ([], -1)": "before the first frame stands no label; no class is -1",
    "ways: first = n - 2 if n > 1 and z[n] != z[n - 2] else max(0, n - 1) → first = n - 2 if n > 2 and z[n] != z[n - 2] else max(0, n - 1)": "state 2 is a blank, and nothing is skipped on the way to it",
    "ways: first = n - 2 if n > 1 and z[n] != z[n - 2] else max(0, n - 1) → first = n - 2 if n > 1 and z[n] != z[n - 2] else max(n - 1, 0)": "the larger of two is the same in either order",
    "ctc: log_p = np.logaddexp.reduce(log_paths[0]) → log_p = np.logaddexp.reduce(log_paths[-1])": "the sum is p at every frame",
    "word_errors: d[i, j] = min(d[i - 1, j] + 1, d[i, j - 1] + 1, d[i - 1, j - 1] + differ) → d[i, j] = min(d[i, j - 1] + 1, d[i - 1, j] + 1, d[i - 1, j - 1] + differ)": "the smallest of three is the same in any order",
}
