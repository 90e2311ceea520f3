"""Chapter 05: how far does a plain RNN reach? The adding problem over lengths, starts and steps.

For each start and length, the learning rate that is best with one seed, and three others with it.
`clipping` runs the identity start at T = 50 with and without gradient
clipping. `patience` gives tanh three times the updates at T = 50. About six minutes.
"""

import numpy as np
from record import cells, run

from rnnlib.data import adding

SETTINGS = {
    "seeds": [0, 1, 2],
    "tuning_seed": 9,
    "learning_rates": [0.001, 0.003, 0.01],
    "updates": 2000,
    "solved": 0.01,
    "lengths": {
        "tanh uniform": [10, 20, 30, 50],
        "tanh orthogonal": [10, 20, 30, 50],
        "relu uniform": [10, 20, 50, 100],
        "relu identity": [10, 50, 100, 200],
    },
    "patience": {"T": 50, "updates": 6000, "lr": 0.001},
}
chapter = cells("05_gradients", "imports", "adder")


def trained(name, T, lr, seed, **settings):
    """How one start ends. Where numbers overflow, and above 1, the error counts as 1."""
    model = chapter.Adder(*name.split(), seed=seed)
    try:
        errors = chapter.train(model, T, lr, seed, **settings)
    except FloatingPointError:
        return {"validation": 1.0, "test": 1.0, "updates": 0, "solved": 0, "overflow": 1}
    test = adding.examples(T, 2000, np.random.default_rng(2))
    return {
        "validation": round(min(float(errors[-1]), 1.0), 4),
        "test": round(min(float(chapter.error(model, test)), 1.0), 4),
        "updates": 100 * len(errors),
        "solved": int(min(errors) < SETTINGS["solved"]),
        "overflow": 0,
    }


def entry(name, T, **settings):
    """One setting: lists over the seeds."""
    found = [trained(name, T, seed=seed, **settings) for seed in SETTINGS["seeds"]]
    lists = {key: [one[key] for one in found] for key in found[0]}
    return {"start": name, "T": T, "seeds": SETTINGS["seeds"]} | lists


def best(tried):
    """The learning rate that solves it first, or else comes closest."""

    def order(lr):
        one = tried[lr]
        return (one["updates"] if one["solved"] else np.inf, one["validation"])

    return min(tried, key=order)


def lengths(name):
    for T in SETTINGS["lengths"][name]:
        rates = SETTINGS["learning_rates"]
        tried = {lr: trained(name, T, lr, SETTINGS["tuning_seed"]) for lr in rates}
        lr = best(tried)
        made = entry(name, T, lr=lr)
        print(f"  T = {T}, lr {lr}: {made['test']} after {made['updates']}", flush=True)
        yield made | {"tuning": {"lr": lr, "tried": tried}}


def clipping():
    for lr in SETTINGS["learning_rates"]:
        for clip_norm in (1.0, None):
            settings = {"lr": lr, "clip_norm": clip_norm}
            yield settings | entry("relu identity", 50, **settings)


def patience():
    T, updates, lr = SETTINGS["patience"].values()
    for name in ("tanh uniform", "tanh orthogonal"):
        yield {"lr": lr} | entry(name, T, lr=lr, updates=updates)


if __name__ == "__main__":
    parts = {name: lambda name=name: list(lengths(name)) for name in SETTINGS["lengths"]}
    parts |= {"clipping": lambda: list(clipping()), "patience": lambda: list(patience())}
    run(__file__, SETTINGS, parts)
