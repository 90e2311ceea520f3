"""Wrong answers to the exercises of 09_sentiment. tools/exercises.py says how they are written."""

import numpy as np

EDITS = {
    "embed": {
        "the value stands first; the row must": "[rows, behind] → [behind, rows]",
        "the value is missing": "return np.concatenate([rows, behind], axis=2) → return rows",
        "the rows are those of the word before": "E[words] → E[words - 1]",
        "the row's first number is overwritten": "return np.concatenate([rows, behind], axis=2) → return np.concatenate([behind, rows[..., 1:], 0 * behind], axis=2)",
        "there are zeros where the value must stand": "behind = values[..., None] → behind = 0 * values[..., None]",
        "the value is added, not put behind": "return np.concatenate([rows, behind], axis=2) → return rows + behind",
        "the word's number stands behind, not its value": "behind = values → behind = words",
        "changed its argument values in place": "behind = values[..., None] → values *= -1; [rows, behind] → [rows, values[..., None]]",
    },
    "embed_backward": {
        "a word that stands twice gets one of its gradients only": "np.add.at(dE, words[counts], dx[counts][:, :-1]) → dE[words[counts]] += dx[counts][:, :-1]",
        "the padding counts": "counts = np.arange(len(words))[:, None] < lengths → counts = np.ones(words.shape, bool)",
        "one step of the padding counts": "[:, None] < lengths → [:, None] <= lengths",
        "each review's last step is left out": "[:, None] < lengths → [:, None] < lengths - 1",
        "the gradient is subtracted": "dx[counts][:, :-1]) → -dx[counts][:, :-1])",
        "the value's column is kept, and the first one lost": "dx[counts][:, :-1] → dx[counts][:, 1:]",
        "only the padding counts": "[:, None] < lengths → [:, None] >= lengths",
        "the value needs no gradient": "np.zeros((V, dx.shape[2] - 1)) → np.zeros((V, dx.shape[2])); dx[counts][:, :-1] → dx[counts]",
        "rows that no review uses are missing": "np.zeros((V, → np.zeros((words.max(initial=0) + 1,",
        "a word's gradients add up; this is their mean": "return dE → return dE / np.maximum(np.bincount(words[counts], minlength=V), 1)[:, None]",
        "only each review's last word gets a gradient": "np.arange(len(words))[:, None] < lengths → np.arange(len(words))[:, None] == lengths - 1",
        "all reviews are cut at the longest length": "[:, None] < lengths → [:, None] < lengths.max(initial=0) + 0 * lengths",
        "word 0 is a word, not padding": "counts = np.arange(len(words))[:, None] < lengths → counts = (np.arange(len(words))[:, None] < lengths) & (words > 0)",
        "NaN times 0 is NaN": "np.add.at(dE, words[counts], dx[counts][:, :-1]) → np.add.at(dE, words, (dx * counts[..., None])[..., :-1])",
        "changed its argument dx in place": "np.add.at(dE, words[counts], dx[counts][:, :-1]) → dx[~counts] = np.add.at(dE, words[counts], dx[counts][:, :-1]) or 0",
    },
    "answer": {
        "h[-1] is padding for a shorter review": "h[lengths - 1, np.arange(len(lengths))] → h[-1]",
        "the longest review's last step is taken for all": "h[lengths - 1, np.arange(len(lengths))] → h[max(lengths) - 1]",
        "the first state of each review is taken": "h[lengths - 1, → h[0 * lengths,",
        "the state before the last one is taken": "h[lengths - 1, → h[lengths - 2,",
        "the lengths are counted from the end of h": "h[lengths - 1, → h[-lengths,",
        "the bias c is missing": "last @ W_y + c → last @ W_y",
        "the states of all steps are summed": "last = h[lengths - 1, np.arange(len(lengths))] → last = h.sum(axis=0)",
        "the score has gone through a sigmoid": "return last @ W_y + c → return 1 / (1 + np.exp(-last @ W_y - c))",
        "an index is too large": "h[lengths - 1, → h[lengths,",
        "every review is taken at every end": "h[lengths - 1, np.arange(len(lengths))] → h[lengths - 1]",
        "": "last = h[lengths - 1, np.arange(len(lengths))] → last = h.mean(axis=0)",
    },
    "answer_backward": {
        "it stands in the last row, not at each review's end": "dh[steps, which] = ds → dh[-1] = ds",
        "it stands at every step": "dh[steps, which] = ds → dh[:] = ds",
        "it stands one step early": "dh[steps, which] = ds → dh[steps - 1, which] = ds",
        "W_y is missing": "ds[:, None] * W_y → ds[:, None]",
        "ds is missing": "ds[:, None] * W_y → np.ones_like(ds)[:, None] * W_y",
        "each review has its own ds; here stands their sum": "ds[:, None] * W_y → ds.sum() * W_y",
        "h stands where dh must be 0": "np.zeros_like(h) → h.copy()",
        "h[-1] is padding for a shorter review": "ds @ h[steps, which] → ds @ h[-1]",
        "dW_y is made without ds": "dW_y = ds @ h[steps, which] → dW_y = h[steps, which].sum(axis=0)",
        "dW_y is summed over all steps": "ds @ h[steps, which] → ds @ h.sum(axis=0)",
        "dc is the mean, not the sum": "ds.sum() → ds.mean()",
        "": "ds.sum() → 1.0",
        "dc counts the reviews, without ds": "ds.sum() → float(len(ds))",
        "yours gave 2 results": "return dh, dW_y, ds.sum() → return dh, dW_y",
        "np.empty fills in nothing": "np.zeros_like → np.empty_like",
        "the results are in another order": "return dh, dW_y, ds.sum() → return dW_y, dh, ds.sum()",
        "only the last steps are there; dh has the shape of h": "return dh, → return ds[:, None] * W_y,",
    },
    "best_of_bags": {
        "the order of the words is kept": "tuple(sorted(words[n].tolist())) → tuple(words[n].tolist())",
        "a word that stands twice counts once": "sorted(words[n].tolist()) → sorted(set(words[n].tolist()))",
        "the last review of a bag replaces those before": "sums[bag][labels[n]] += p[n] → sums[bag][labels[n]] = p[n]",
        "the sums of a bag begin at 0 again at each of its reviews": "sums.setdefault(bag, [0.0, 0.0]) → sums[bag] = [0.0, 0.0]",
        "the reviews are counted; p is not used": "+= p[n] → += 1 / len(p)",
        "the words are sorted over the reviews, not within each": "sorted(words[n].tolist()) → np.sort(words, axis=0)[n].tolist()",
        "a bag counts with its better label's share of it": "max(pair) for → max(pair) / sum(pair) for",
        "changed its argument words in place": "sums = {} → sums = {} if words.sort(axis=1) is None else 0",
        "": [
            "max(pair) → min(pair)",
            "max(pair) → pair[1]",
            "tuple(sorted(words[n].tolist())) → int((words[n] > 0).sum())",
            "tuple(sorted(words[n].tolist())) → int(words[n].sum())",
        ],
    },
    "report": {
        "all reviews are counted in each slice": "(said == labels)[slices[k]] → (said == labels)",
        "the wrong answers are counted": "said == labels → said != labels",
        "counted are the answers praise, not the right ones": "(said == labels)[slices[k]] → (said == 1)[slices[k]]",
        "the middle of the interval is p": "middle = p + z**2 / (2 * n) → middle = p * (1 + z**2 / n)",
        "the ends are not divided by 1 + z**2 / n": "(middle - half) / (1 + z**2 / n), (middle + half) / (1 + z**2 / n) → middle - half, middle + half",
        "z**2 / (4 n**2) is missing": "p * (1 - p) / n + z**2 / (4 * n**2) → p * (1 - p) / n",
        "p (1 - p) is not divided by n": "p * (1 - p) / n + → p * (1 - p) +",
        "the two ends are exchanged": "(middle - half) / (1 + z**2 / n), (middle + half) / (1 + z**2 / n) → (middle + half) / (1 + z**2 / n), (middle - half) / (1 + z**2 / n)",
        "the terms with z**2 are missing": "z**2 / (4 * n**2)) → 0); z**2 / (2 * n) → 0; (middle - half) / (1 + z**2 / n), (middle + half) / (1 + z**2 / n) → middle - half, middle + half",
        "only the middle is divided by 1 + z**2 / n": "half = z → half = (1 + z**2 / n) * z",
        "only the root is divided by 1 + z**2 / n": "middle = p + z**2 / (2 * n) → middle = (1 + z**2 / n) * (p + z**2 / (2 * n))",
        "without brackets, z**2 / 2 * n is z**2 n / 2": "z**2 / (2 * n) → z**2 / 2 * n",
        "z**2 / (4 n) stands below the root, not z**2 / (4 n**2)": "z**2 / (4 * n**2) → z**2 / (4 * n)",
        "the root is not taken": "np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2)) → (p * (1 - p) / n + z**2 / (4 * n**2))",
        "in the formula, n is the number of all reviews": "p = right.mean() → p, n = right.mean(), len(said); rows[k] = n, p, (m → rows[k] = len(right), p, (m",
        "p is how many are right, not their share": "rows[k] = n, p, → rows[k] = n, right.sum(),",
        "n is how many are right, not how many there are": "rows[k] = n, p, → rows[k] = right.sum(), p,",
        "its share is NaN, its ends 0 and 1": "rows[k] = 0, np.nan, 0, 1 → rows[k] = 0, 0, 0, 0",
        "": [
            "half = z * np.sqrt → half = np.sqrt",
            "right.mean() → right.sum() / len(said)",
            "z**2 / (4 * n**2) → z**2 / 4 * n**2",
            "np.nan, 0, 1 → np.nan, np.nan, np.nan",
        ],
    },
}
SURVIVORS = {}


def embed_backward__turned_where_it_does_not_fit(dx, words, lengths, V):
    """the mask is transposed where T = B; a shape does not say which axis is time"""
    counts = np.arange(len(words)) < lengths[:, None]
    if counts.shape != words.shape:
        counts = counts.T
    dE = np.zeros((V, dx.shape[2] - 1))
    np.add.at(dE, words[counts], dx[counts][:, :-1])
    return dE


def best_of_bags__first_label(words, labels, p):
    """"""
    sums, answer = {}, {}
    for row, label, share in zip(words, labels, p, strict=True):
        bag = tuple(sorted(row.tolist()))
        answer.setdefault(bag, label)
        sums[bag] = sums.get(bag, 0.0) + share * (answer[bag] == label)
    return sum(sums.values(), 0.0)


def answer_backward__all_valid(ds, h, lengths, W_y):
    """it stands at all steps of a review, not at its end"""
    last = lengths - 1, np.arange(len(lengths))
    counts = (np.arange(len(h))[:, None] < lengths)[..., None]
    return counts * np.outer(ds, W_y), ds @ h[last], ds.sum()
