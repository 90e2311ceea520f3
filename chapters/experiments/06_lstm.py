"""Chapter 06: who adds over a hundred steps, which part of the LSTM is missed, and the story again.

`adding` trains the LSTM and the plain RNN at T = 100; `variants` the LSTM and eight with one change
on a small task; `story` is chapter 01's exam with rnnlib's own LSTM, the first of which the live
figure plays. The learning rate is looked for with one seed, at equal budget for each. About
fifteen minutes.
"""

from functools import cache

import numpy as np
from record import cells, pack, run

from rnnlib import LSTM, Adam, fit, mse, softmax
from rnnlib.data import adding, storybook

SETTINGS = {
    "tuning_seed": 9,
    "adding": {
        "T": 100,
        "updates": 2000,
        "seeds": [0, 1, 2],
        "learning_rates": {"LSTM": [0.005, 0.01], "RNN": [0.001, 0.003, 0.01]},
    },
    "variants": {
        "T": 20,
        "batch": 32,
        "updates": 600,
        "seeds": [0, 1, 2, 3, 4],
        "learning_rates": [0.005, 0.01, 0.02],
    },
    "story": {
        "stories": 16000,
        "stories_seed": 0,
        "hidden": 64,
        "embedding": 32,
        "batch_size": 32,
        "clip_norm": 1.0,
        "lr": 0.008,  # chapter 01's, which validation preferred
        "epochs": 12,
        "last_quarter": "of the epochs at an eighth of the learning rate",
        "seeds": [0, 1, 2],
        "fillers_per_distance": 60,
        "exam_seed": 2,
        "filler_words": [0, 1, 2, 3, 4, 6, 8, 10, 13, 16, 20, 25, 30, 36],
    },
}
chapter = cells("06_lstm", "imports", "reader", "variant")
first = cells("01_storybook", "imports", "score", "summary", "exam")


# The adding problem


def added(kind, lr, seed):
    """The test error, and the first of the hundreds of updates at which it was below 0.01."""
    settings = SETTINGS["adding"]
    model = chapter.Reader(kind, seed)
    T, updates = settings["T"], settings["updates"]
    errors = chapter.train(model, adding.examples, T, lr, seed, updates=updates)
    x, y = adding.examples(T, 2000, np.random.default_rng(2))
    solved = [100 * (k + 1) for k, error in enumerate(errors) if error < 0.01]
    print(kind, lr, seed, round(errors[-1], 4), solved[:1], flush=True)
    return {
        "error": round(float(mse(model(x), y)[0]), 4),
        "updates": solved[0] if solved else None,
        "curve": np.round(errors, 4).tolist(),
    }


def adders(kind):
    settings = SETTINGS["adding"]
    rates = settings["learning_rates"][kind]
    tried = {lr: added(kind, lr, SETTINGS["tuning_seed"]) for lr in rates}
    lr = min(tried, key=lambda lr: tried[lr]["error"])
    found = [added(kind, lr, seed) for seed in settings["seeds"]]
    lists = {key: [one[key] for one in found] for key in found[0]}
    return {"seeds": settings["seeds"], "tuning": {"lr": lr, "tried": tried}} | lists


# The eight variants


def changed(change, lr, seed):
    settings = SETTINGS["variants"]
    model, T = chapter.OneChanged(change, seed), settings["T"]
    size = {"updates": settings["updates"], "N": settings["batch"]}
    chapter.train(model, chapter.marked, T, lr, seed, **size)
    x, y = chapter.marked(T, 2000, np.random.default_rng(2))
    return round(float(mse(model(x), y)[0]), 5)


def variants():
    settings, found = SETTINGS["variants"], {}
    for change in chapter.VARIANTS:
        rates = settings["learning_rates"]
        tried = {lr: changed(change, lr, SETTINGS["tuning_seed"]) for lr in rates}
        lr = min(tried, key=tried.get)
        errors = [changed(change, lr, seed) for seed in settings["seeds"]]
        print(change, lr, errors, flush=True)
        found[change] = {
            "seeds": settings["seeds"],
            "tuning": {"lr": lr, "tried": tried},
            "error": errors,
        }
    return found


# The story of chapter 01


class NextWord(first.NextWord):
    """Chapter 01's three layers with an LSTM in the middle."""

    def __init__(self, V, I, H, seed):
        super().__init__(V, I, H, seed)
        self.rnn = LSTM(I, H, seed=np.random.default_rng([seed, 1]), dtype=np.float32)


@cache
def reader(seed):
    settings = SETTINGS["story"]
    told = storybook.stories(settings["stories"], settings["stories_seed"])
    batches = storybook.batches(told, settings["batch_size"], seed)
    model = NextWord(len(storybook.VOCABULARY), settings["embedding"], settings["hidden"], seed)
    optimizer, epochs = Adam(model.parameters(), lr=settings["lr"]), settings["epochs"]
    how = {"clip_norm": settings["clip_norm"], "progress": False}
    for optimizer.lr, some in (
        (settings["lr"], epochs - epochs // 4),
        (settings["lr"] / 8, epochs // 4),
    ):
        fit(model, batches, optimizer, epochs=some, **how)
    return model.eval()


def at_blanks(model, told):
    """The probabilities (N, V) of each story's last word."""
    x, y = storybook.encode(told)
    last = (y >= 0).sum(axis=0) - 1
    return softmax(model(x)[last, np.arange(len(told))].astype(np.float64))


def story():
    settings = SETTINGS["story"]
    exams = [
        first.exam_after(n, settings["fillers_per_distance"], [settings["exam_seed"], n])
        for n in settings["filler_words"]
    ]
    entry = {"seeds": settings["seeds"], "distance": [exam[0].distance for exam in exams]}
    entry["accuracy"] = []
    for seed in settings["seeds"]:
        marks = [
            first.score(at_blanks(reader(seed), exam), [one.reason for one in exam])
            for exam in exams
        ]
        entry["accuracy"].append(np.round([right for right, _ in marks], 4).tolist())
        print(seed, entry["accuracy"][-1], flush=True)
    return entry


def lstm():
    """What the live figure needs: the vocabulary, and the first of the readers."""
    weights = reader(SETTINGS["story"]["seeds"][0]).state_dict()
    return {"vocabulary": storybook.VOCABULARY, "weights": pack(weights, bits=8)}


PARTS = {
    "adding LSTM": lambda: adders("LSTM"),
    "adding RNN": lambda: adders("RNN"),
    "variants": variants,
    "story": story,
}

if __name__ == "__main__":
    run(__file__, SETTINGS, PARTS, {"lstm": lstm})
