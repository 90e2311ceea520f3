"""Wrong answers to the exercises of 17_capstone. tools/exercises.py says how they are written."""

import numpy as np

from rnnlib.data import capstone

EDITS = {
    "leaked": {
        "the last run of a training example is missing": "for one in train for t in range(len(one) - k + 1) → for one in train for t in range(len(one) - k)",
        "the last run of an example is missing": "in runs for t in range(len(one) - k + 1) → in runs for t in range(len(one) - k)",
        "only the first run of an example is looked at": "in runs for t in range(len(one) - k + 1) → in runs for t in range(min(1, len(one) - k + 1))",
        "only the first run of a training example is known": "for one in train for t in range(len(one) - k + 1) → for one in train for t in range(min(1, len(one) - k + 1))",
        "the order within a run is lost": "runs = {tuple(one[t : t + k]) → runs = {tuple(sorted(one[t : t + k])); [[tuple(one[t : t + k]) → [[tuple(sorted(one[t : t + k]))",
        "one shared run is enough; all are asked for": "any(some) → bool(some) and all(some)",
        "it is True where nothing has leaked": "any(some) → not any(some)",
        "it is the number of shared runs": "any(some) → sum(some)",
        "single steps are compared, not runs of k": "runs = {tuple(one[t : t + k]) → runs = {tuple(one[t : t + 1]); [[tuple(one[t : t + k]) → [[tuple(one[t : t + 1])",
        "leak is of type list": "np.array([any(some) for some in shared]) → [any(some) for some in shared]",
        "leak has shape": "for one in train for t → for one in rows for t; for one in rows] → for one in train]",
    },
    "parts": {
        "windows across a cut are taken": "b - k + 1 → b",
        "the last window of each part is missing": "b - k + 1 → b - k",
        "each part has a window too many, across its end": "b - k + 1 → b - k + 2",
        "behind a cut, windows are left out that lie wholly in their part": "np.arange(a, → np.arange(a + (k - 1) * (a > 0),",
        "the starts are counted from the first day of the part": "np.arange(a, b - k + 1) → np.arange(b - a - k + 1)",
        "the windows may overlap: every day is a start": "b - k + 1) → b - k + 1, k)",
        "these are the last days of the windows": "np.arange(a, b - k + 1) → k - 1 + np.arange(a, b - k + 1)",
        "validation and test are exchanged": "tuple(starts) → (starts[0], starts[2], starts[1])",
        "yours gave 2 results": "tuple(starts) → tuple(starts[:2])",
        "is of type list": "np.arange(a, b - k + 1) → [*range(a, b - k + 1)]",
    },
    "ridge": {
        "the first k steps are taken, not the last": "some[-k:] → some[:k]",
        "the new examples are centred with a mean of their own": "(A_new - mean) @ w → (A_new - A_new.mean(axis=0)) @ w",
        "the means of the columns are not taken off the new examples": "(A_new - mean) @ w → A_new @ w",
        "the mean of y is not added": "return y.mean() + → return",
        "the strength is missing": "strength * np.eye → 1e-12 * np.eye",
        "the strength is added to every entry, not on the diagonal alone": "np.eye(A.shape[1]) → np.ones((A.shape[1], A.shape[1]))",
        "the strength is multiplied by the number of examples": "strength * np.eye → strength * len(A) * np.eye",
        "the strength is divided by the number of examples": "strength * np.eye → strength / len(A) * np.eye",
        "the strength is squared": "strength * np.eye → strength**2 * np.eye",
        "numbers of different examples stand in one row: swapaxes comes before reshape": ".swapaxes(0, 1).reshape → .reshape",
        "one step too few is seen": "some[-k:] → some[-k + 1 :]",
        "the last step is left out": "some[-k:] → some[-k - 1 : -1]",
        "there is no constant: nothing is centred": "A = A - mean → mean = 0 * mean; y - y.mean() → y; return y.mean() + → return",
        "a sign is wrong": "return y.mean() + (A_new - mean) @ w → return -(y.mean() + (A_new - mean) @ w)",
    },
    "tried": {
        "the root is taken; the mean squared error is asked": "- y) ** 2) → - y) ** 2) ** 0.5",
        "the absolute errors are taken, not their squares": 'np.mean((row["predictions"] - y) ** 2) → np.mean(abs(row["predictions"] - y))',
        "the squares are summed; their mean is asked": "np.mean( → np.sum(",
        "the errors are not squared": '(row["predictions"] - y) ** 2 → row["predictions"] - y',
        "Expected, in this order": [
            "return log → return sorted(log, key=lambda row: row['validation'])",
            "return log → return log[::2] + log[1::2]",
        ],
        "only the best trial of each side stands in the log": "return log → return [min((r for r in log if r['side'] == s), key=lambda r: r['validation']) for s in plan]",
        "raise ValueError; it gave": "> 1: → > 9:",
        "The trials that were run": [
            "run(side, settings, seed) → run(side, settings, 0)",
            "plan for one in plan[name] → plan for one in 2 * plan[name]",
        ],
        "lacks ['model', 'parameters', 'predictions', 'steps', 'updates']": 'row | {"validation": score} → {"side": side, "settings": settings, "seed": seed, "validation": score}',
        "lacks the key 'validation'": '{"validation": → {"score":',
        "lacks the key 'side'": '{"side": side, "settings" → {"settings"',
        "has shape": "return log → return log[:1]",
        "stands changed in the row": '{"validation": score} → {"validation": score, "updates": 0}',
        "a return is missing": "return log → log",
    },
    "best": {
        "the luckiest trial is chosen, not the best mean": "np.mean( → np.min(",
        "the largest mean is taken, not the smallest": "return min( → return max(",
        "the rows of the other side are counted, too": [
            ' if row["side"] == side → ',
            'for row in rows if row["settings"] → for row in log if row["settings"]',
        ],
        "the rows are those of the other side": '["side"] == side → ["side"] != side',
        "the scores are summed: settings with few seeds look good": "np.mean( → np.sum(",
        "the worst trial decides, not the mean": "np.mean( → np.max(",
        "the median is taken, not the mean": "np.mean( → np.median(",
        "settings are compared as text, in which the order of the keys counts": 'row["settings"] == settings]) → str(row["settings"]) == str(settings)])',
        "only the first trial of each settings counts": 'row["settings"] == settings]) → row["settings"] == settings][:1])',
        "the fewest updates are chosen, not the best score": 'np.mean([row["validation"] → np.mean([row["updates"]',
        "the settings with the most trials are chosen": 'np.mean([row["validation"] for → -np.sum([1 for',
        "is of type": [
            "key=mean) → key=mean)['H']",
            "return min(( → return mean(min((; key=mean) → key=mean))",
        ],
    },
    "interval": {
        "the seeds of b are not drawn": "b[of_b] → b",
        "the seeds of a are not drawn": "a[of_a] → a",
        "no seeds are drawn": "a[of_a] → a; b[of_b] → b",
        "the examples are not drawn": "a[of_a][:, columns] → a[of_a]; b[of_b][:, columns] → b[of_b]",
        "only a takes the drawn examples": "b[of_b][:, columns] → b[of_b]",
        "only b takes the drawn examples": "a[of_a][:, columns] → a[of_a]",
        "the difference is b minus a": "a[of_a][:, columns].mean() - b[of_b][:, columns].mean() → b[of_b][:, columns].mean() - a[of_a][:, columns].mean()",
        "the percentiles are 5 and 95": "[2.5, 97.5] → [5, 95]",
        "np.percentile wants 2.5 and 97.5, not 0.025 and 0.975": "[2.5, 97.5] → [0.025, 0.975]",
        "low and high are exchanged": "return low, high → return high, low",
        "the interval goes from the smallest to the largest difference": "[2.5, 97.5] → [0, 100]",
        "it is the mean of the differences, plus and minus 1.96 standard deviations": "np.percentile(found, [2.5, 97.5]) → np.mean(found) - 1.96 * np.std(found), np.mean(found) + 1.96 * np.std(found)",
        "an example that is drawn twice counts twice, not once": "a[of_a][:, columns] → a[of_a][:, np.unique(columns)]; b[of_b][:, columns] → b[of_b][:, np.unique(columns)]",
        "only the first drawn seed of each side is taken": "a[of_a][:, columns] → a[of_a][0, columns]; b[of_b][:, columns] → b[of_b][0, columns]",
        "sums are taken, not means": "[:, columns].mean() - b[of_b][:, columns].mean() → [:, columns].sum() - b[of_b][:, columns].sum()",
    },
    "verdict": {
        "`worth` is forgotten, and 0 stands in its place": "low > worth → low > 0; high <= worth → high <= 0",
        "a lower end that touches `worth` is not above it": "low > worth → low >= worth",
        "an upper end that touches `worth` is not above it": "high <= worth → high < worth",
        "the middle decides, not the ends": 'low > worth → low + high > 2 * worth; "no" if high <= worth else "not shown" → "no"',
        "yes and no are exchanged": 'return "yes" → return "no"; return "no" if high <= worth else "not shown" → return "yes" if high <= worth else "not shown"',
        "one point above `worth` is called yes": "low > worth → high > worth",
        "no and not shown are exchanged": '"no" if high <= worth else "not shown" → "not shown" if high <= worth else "no"',
        "what is not shown is called no": '"no" if high <= worth else "not shown" → "no"',
        "no is said only below 0": "high <= worth → high <= 0",
        "a word is asked, not True or False": [
            'return "yes" → return True; "no" if high <= worth else "not shown" → False',
        ],
    },
    "weakest": {
        "the slice is taken where the recurrent network is best": "min(slices → max(slices",
        "the difference is a minus b": "(a - b)[some] → (b - a)[some]; (a - b)[worst] → (b - a)[worst]",
        "the differences are summed; their mean is asked": "(a - b)[some].mean() → (a - b)[some].sum(); (a - b)[worst].mean() → (a - b)[worst].sum()",
        "the worst slice is found by a sum; its mean is asked": "(a - b)[some].mean() → (a - b)[some].sum()",
        "slices with too few examples are not passed over": "some.sum() >= least → some.sum() >= 0",
        "a slice of exactly `least` examples is large enough": "some.sum() >= least → some.sum() > least",
        "the loss of b is taken, not the difference": "(a - b)[some].mean() → -b[some].mean(); (a - b)[worst].mean() → b[worst].mean()",
        "the slice's place is given, not its label": "labels[worst][0] → np.unique(labels).searchsorted(labels[worst][0])",
        "the size of a difference counts, not its sign": "(a - b)[some].mean() → abs(a - b)[some].mean(); (a - b)[worst].mean() → abs(a - b)[worst].mean()",
        "the median is taken, not the mean": "(a - b)[some].mean() → np.median((a - b)[some]); (a - b)[worst].mean() → np.median((a - b)[worst])",
        "the smallest single difference is looked for, not the smallest mean": "(a - b)[some].mean() → (a - b)[some].min()",
        "raise ValueError": "slices = [some for some in slices if some.sum() >= least] → slices = [some for some in slices if some.sum() >= least] or slices",
        "the label comes first, then the mean": "return labels[worst][0], (a - b)[worst].mean() → return (a - b)[worst].mean(), labels[worst][0]",
        "yours gave": "return labels[worst][0], (a - b)[worst].mean() → return labels[worst][0]",
    },
    "evidence": {
        "raised ValueError": '"baseline": RIDGES → "baseline": RIDGES[:6]',
        "at least 3 are expected": '"baseline": RIDGES → "baseline": RIDGES[:6]; "recurrent": NETWORKS → "recurrent": NETWORKS[:2]',
        "at least 6 of each are expected": '"recurrent": (0, 1, 2) → "recurrent": (0,); "baseline": RIDGES → "baseline": RIDGES[:3]',
        "with the seeds": [
            "(0, 1, 2) → (1, 2, 0, 0)[:3]; (0,) → (1,)",
            '"baseline": RIDGES → "baseline": 9 * RIDGES[:1]',
        ],
        "stand in the log": "return task, log, → log = [row for row in log if row['side'] == 'baseline' or row['settings'] != NETWORKS[0]][3:]\n    return task, log,",
        '"validation" of': "return task, log, → log[3]['validation'] *= 0.9\n    return task, log,",
        "The predictions in the log are not those of the run": "return task, log, → log[3]['predictions'] = log[4]['predictions']\n    return task, log,",
        "task is 'weather'": "return task, log, → return 'weather', log,",
        "has opened the test with": [
            "for side, settings in chosen.items(): → for side, settings in {side: min(log, key=lambda r: r['validation'] + 9 * (r['side'] != side))['settings'] for side in plan}.items():",
            "opened = {} → opened = {}\n    [run(task, 'recurrent', settings, 0, 'test') for settings in NETWORKS]",
            '"test") for seed in seeds[side]] → "test") for seed in seeds[side][:1]]',
        ],
        "A trial was run after the test had been opened": "a, b = → run(task, 'recurrent', NETWORKS[0], 0)\n    a, b =",
        "The test was never opened": 'seed, "test") → seed, "validation")',
        "the interval goes from": [
            "a, b = → b, a =",
            "- TASKS[task].test.y) ** 2 → - TASKS[task].test.y)",
            "- TASKS[task].test.y) ** 2 → - TASKS[task].validation.y.mean()) ** 2",
        ],
        "Does `draws` get the number of examples": [
            "a.shape[1] → a.shape[0]",
            "a.shape[1] → len(b)",
        ],
        "the word is": [
            "WORTH[task]) → 0.0)",
            "verdict(low, high, WORTH[task]) → 'yes'",
            "verdict(low, high, WORTH[task]) → verdict(low, low, WORTH[task])",
        ],
        "has shape": 'np.array([one["predictions"] for one in found]) → np.mean([one["predictions"] for one in found], axis=0)',
        "have run on the tasks": 'task, seeds = "pump" → [run("heat", "recurrent", some, seed) for some in NETWORKS for seed in (0, 1, 2)]\n    task, seeds = "pump"',
    },
}


def leaked__at_the_same_place(train, rows, k):
    """a run may stand at another place in the training example"""
    S = min(train.shape[1], rows.shape[1])
    shared = [
        [any(tuple(one[t : t + k]) == tuple(other[t : t + k]) for other in train)]
        for one in rows
        for t in range(S - k + 1)
    ]
    return np.array(shared).reshape(len(rows), -1).any(axis=1)


def leaked__as_text(train, rows, k):
    """the numbers are joined to one text, in which 14 looks like 1 and 4"""

    def joined(one):
        return "".join(map(str, one))

    known = [joined(one) for one in train]
    return np.array(
        [
            any(joined(one[t : t + k]) in text for text in known for t in range(len(one) - k + 1))
            for one in rows
        ]
    )


def leaked__with_gaps(train, rows, k):
    """the steps of a run stand together there; gaps are allowed here"""

    def inside(run, other):
        rest = iter(other)
        return all(step in rest for step in run)

    return np.array(
        [
            any(inside(tuple(one[t : t + k]), o) for o in train for t in range(len(one) - k + 1))
            for one in rows
        ]
    )


def leaked__across_examples(train, rows, k):
    """a run goes on here from the end of a training example to the next one"""
    flat = train.ravel()
    runs = {tuple(flat[t : t + k]) for t in range(len(flat) - k + 1)}
    return np.array(
        [any(tuple(one[t : t + k]) in runs for t in range(len(one) - k + 1)) for one in rows]
    )


def ridge__constant_punished(x, y, x_new, k, strength):
    """the strength pulls at the constant, too"""
    A, A_new = (some[-k:].swapaxes(0, 1).reshape(some.shape[1], -1) for some in (x, x_new))
    A, A_new = (np.column_stack([some, np.ones(len(some))]) for some in (A, A_new))
    return A_new @ np.linalg.solve(A.T @ A + strength * np.eye(A.shape[1]), A.T @ y)


def tried__checked_at_the_end(run, plan, y):
    """were run before the ValueError"""
    log = []
    for side, trials in plan.items():
        for settings, seed in trials:
            row = {"side": side, "settings": settings, "seed": seed, **run(side, settings, seed)}
            log.append(row | {"validation": np.mean((row["predictions"] - y) ** 2)})
    if len({len(trials) for trials in plan.values()}) > 1:
        raise ValueError("the sides have different numbers of trials")
    return log


def tried__one_dict(run, plan, y):
    """All rows are the same dict"""
    if len({len(trials) for trials in plan.values()}) > 1:
        raise ValueError("the sides have different numbers of trials")
    log, row = [], {}
    for side, trials in plan.items():
        for settings, seed in trials:
            row.update(run(side, settings, seed), side=side, settings=settings, seed=seed)
            row["validation"] = np.mean((row["predictions"] - y) ** 2)
            log.append(row)
    return log


def leaked__as_text_with_spaces(train, rows, k):
    """the numbers are joined to one text, in which 1 is a part of 11"""

    def joined(one):
        return " ".join(map(str, one))

    known = [joined(one) for one in train]
    return np.array(
        [
            any(joined(one[t : t + k]) in text for text in known for t in range(len(one) - k + 1))
            for one in rows
        ]
    )


def interval__unpaired(a, b, examples, seeds_a, seeds_b):
    """the examples of b are those of another draw: both sides must take the same"""
    found = []
    for d in range(len(examples)):
        one, other = a[seeds_a[d]][:, examples[d]], b[seeds_b[d]][:, examples[d - 1]]
        found.append(one.mean() - other.mean())
    return tuple(np.percentile(found, [2.5, 97.5]))


def evidence__invented(run):
    """has not called the run that it was handed"""
    task = capstone.load("basin", 600, 300, 300, T=20)
    counted = {"updates": 80, "parameters": 200, "steps": 20}
    log = []
    for side, model, error in (("baseline", "ridge", 0.15), ("recurrent", "GRU", 0.06)):
        for k in range(9):
            settings, seed = (
                {"size": k // 3 if model == "GRU" else k},
                k % 3 if model == "GRU" else 0,
            )
            predictions = task.validation.best + error
            score = np.mean((predictions - task.validation.y) ** 2)
            row = {"side": side, "model": model, "settings": settings, "seed": seed, **counted}
            log.append({**row, "predictions": predictions, "validation": score})
    best = task.test.best
    opened = {"baseline": best[None] + 0.15, "recurrent": np.stack([best + 0.06] * 3)}
    return "basin", log, opened, 0.017, 0.020, "yes"


def evidence__typed_scores(run):
    """its predictions have"""
    task, log, opened, low, high, word = honest(run)
    for row in log:
        row["validation"] = (
            row["validation"] / 2 if row["side"] == "recurrent" else row["validation"]
        )
    return task, log, opened, low, high, word


def evidence__lucky_seeds(run):
    """A trial was run, and is not in the log"""

    def luckiest(task, side, settings, seed, part="validation"):
        if side == "baseline" or part == "test":
            return run(task, side, settings, seed, part)
        found = [run(task, side, settings, other, part) for other in range(10)]
        y = TASKS[task].validation.y
        return sorted(found, key=lambda one: np.mean((one["predictions"] - y) ** 2))[seed]

    return honest(luckiest)


def evidence__the_verdict_first(run):
    """the interval goes from"""
    task, log, opened, *_ = honest(run)
    return task, log, opened, 0.5, 0.7, "yes"


def evidence__test_for_choosing(run):
    """A trial was run after the test had been opened"""

    def peeking(task, side, settings, seed, part="validation"):
        run(task, side, settings, seed, "test")
        return run(task, side, settings, seed, part)

    return honest(peeking)


def honest(run):
    task, seeds = "basin", {"baseline": (0,), "recurrent": (0, 1, 2)}
    menus = {"baseline": RIDGES, "recurrent": NETWORKS}
    plan = {side: [(one, seed) for one in menus[side] for seed in seeds[side]] for side in menus}
    log = tried(lambda *trial: run(task, *trial), plan, TASKS[task].validation.y)
    opened = {}
    for side in plan:
        chosen = best(log, side)
        found = [run(task, side, chosen, seed, "test") for seed in seeds[side]]
        opened[side] = np.array([one["predictions"] for one in found])
    a, b = [(some - TASKS[task].test.y) ** 2 for some in opened.values()]
    low, high = interval(a, b, *draws(len(a), len(b), a.shape[1]))
    return task, log, opened, low, high, verdict(low, high, WORTH[task])


_LEFT = "leaked: runs = {tuple(one[t:t + k]) for one in train for t in range("
_RIGHT = "leaked: shared = [[tuple(one[t:t + k]) in runs for t in range("
_SHORT = "a piece of fewer than k steps at the end is equal to no run of k steps"
_RIDGE = "ridge: A, A_new = (some[-k:].swapaxes(0, 1).reshape(some.shape[1], -1) for some in (x, x_new)) → A, A_new = (some[-k:]"
_SOLVE = "ridge: w = np.linalg.solve(A.T @ A + strength * np.eye(A.shape[1]), A.T @ "
_CENTRED = "each column of A adds up to 0, so that a number added to all of y changes nothing"
_ZIP = "interval: for columns, of_a, of_b in zip(examples, seeds_a, seeds_b, strict="
SURVIVORS = {
    **{
        f"{_LEFT}len(one) - k + 1)}} → {_LEFT.partition(': ')[2]}len(one) {rest})}}": _SHORT
        for rest in ("+ k + 1", "+ 1", "- k + 2")
    },
    **{
        f"{_RIGHT}len(one) - k + 1)] for one in rows] → {_RIGHT.partition(': ')[2]}len(one) {rest})] for one in rows]": _SHORT
        for rest in ("+ k + 1", "+ 1", "- k + 2")
    },
    f"{_RIDGE}.swapaxes(1, 0).reshape(some.shape[1], -1) for some in (x, x_new))": "two axes are exchanged, in whatever order they are named",
    f"{_RIDGE}.swapaxes(0, 1).reshape(some.shape[1], -2) for some in (x, x_new))": "NumPy takes any negative size for the one that is left",
    f"{_SOLVE}(y - y.mean())) → {_SOLVE.partition(': ')[2]}(y + y.mean()))": _CENTRED,
    f"{_SOLVE}(y - y.mean())) → {_SOLVE.partition(': ')[2]}y)": _CENTRED,
    f"{_ZIP}True): → {_ZIP.partition(': ')[2]}False):": "the three are of one length in every case",
    "weakest: return (labels[worst][0], (a - b)[worst].mean()) → return (labels[worst][-1], (a - b)[worst].mean())": "all labels of a slice are the same",
}
