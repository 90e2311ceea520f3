"""Chapter 06: who adds over a hundred steps, and which part of the LSTM is missed.

`adding` trains the LSTM and the plain RNN at T = 100; `variants` the LSTM and eight with one change
on a small task. The learning rate is looked for with one seed, at equal budget for each. About
fifteen minutes. The LSTM that reads stories, and that the live figure plays, is chapter 01's.
"""

import numpy as np
from record import cells, run

from rnnlib import mse
from rnnlib.data import adding

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
        "learning_rates": [0.005, 0.01, 0.02, 0.05, 0.1],
    },
}
chapter = cells("06_lstm", "imports", "reader", "variant")


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


PARTS = {
    "adding LSTM": lambda: adders("LSTM"),
    "adding RNN": lambda: adders("RNN"),
    "variants": variants,
}

if __name__ == "__main__":
    run(__file__, SETTINGS, PARTS)
