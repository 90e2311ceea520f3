"""Chapter 07: who learns to add sooner, and who counts further, at equally many parameters.

`adding` trains RNN, GRU and LSTM at T = 50 until the error is below 0.01, at equal width and at
equally many parameters; `counting` trains on aⁿbⁿ and aⁿbⁿcⁿ for n up to 10, and looks for the
first n that goes wrong. The learning rate of `adding` is looked for with another seed, at equal
budget for each; `counting` keeps the runs of every learning rate. About ten minutes.
"""

import numpy as np
from record import cells, run

SETTINGS = {
    "adding": {
        "T": 50,
        "updates": 2000,
        "hidden": 64,
        "seeds": [0, 1, 2, 3, 4],
        "tuning_seed": 9,
        "learning_rates": [0.003, 0.01, 0.02],
    },
    "counting": {
        "longest": 10,
        "tested": 200,
        "updates": 2000,
        "hidden": 10,  # of the LSTM; the others have as many parameters
        "seeds": [0, 1, 2, 3, 4, 5, 6, 7],
        "learning_rates": [0.01, 0.03, 0.1],
    },
}
KINDS = ("RNN", "GRU", "LSTM")
chapter = cells("07_gru", "imports", "sizes", "adding-model", "counting-model")


def added(kind, H, lr, seed):
    """The updates after which the error was below 0.01, and the error at the end."""
    settings = SETTINGS["adding"]
    model = chapter.Reader(kind, H, seed)
    errors = chapter.train(model, settings["T"], lr, seed, settings["updates"])
    solved = 50 * len(errors) if errors[-1] < 0.01 else None
    print(kind, H, lr, seed, solved, round(errors[-1], 4), flush=True)
    return {"updates": solved, "error": round(errors[-1], 4)}


def adding():
    settings, found = SETTINGS["adding"], {}
    count = chapter.parameters("GRU", 2, settings["hidden"])
    for kind in KINDS:
        for H in dict.fromkeys([settings["hidden"], chapter.width(kind, 2, count)]):
            tried = {
                lr: added(kind, H, lr, settings["tuning_seed"]) for lr in settings["learning_rates"]
            }
            lr = min(tried, key=lambda lr: (tried[lr]["updates"] or np.inf, tried[lr]["error"]))
            runs = [added(kind, H, lr, seed) for seed in settings["seeds"]]
            found[f"{kind} {H}"] = {
                "kind": kind,
                "hidden": H,
                "parameters": chapter.parameters(kind, 2, H),
                "seeds": settings["seeds"],
                "tuning": {"lr": lr, "tried": tried},
                **{key: [one[key] for one in runs] for key in runs[0]},
            }
    return found


def counted(kind, letters, H, lr, seed):
    """The smallest n that goes wrong, and how many of the lengths trained on are right."""
    settings = SETTINGS["counting"]
    model = chapter.Counter(kind, letters, H, seed)
    chapter.count(model, letters, lr, settings["updates"], settings["longest"])
    known = chapter.right(model, letters, range(1, settings["longest"] + 1)).sum()
    fails = chapter.first_failure(model, letters, settings["tested"])
    print(kind, letters, H, lr, seed, fails, known, flush=True)
    return {"fails": settings["tested"] + 1 if fails is None else fails, "known": int(known)}


def counting():
    settings, found = SETTINGS["counting"], []
    for letters in (2, 3):
        count = chapter.parameters("LSTM", letters + 1, settings["hidden"])
        for kind in KINDS:
            H = chapter.width(kind, letters + 1, count)
            for lr in settings["learning_rates"]:
                runs = [counted(kind, letters, H, lr, seed) for seed in settings["seeds"]]
                entry = {"kind": kind, "letters": letters, "hidden": H, "lr": lr}
                entry["parameters"] = chapter.parameters(kind, letters + 1, H)
                entry["seeds"] = settings["seeds"]
                found.append(entry | {key: [one[key] for one in runs] for key in runs[0]})
    return found


if __name__ == "__main__":
    run(__file__, SETTINGS, {"adding": adding, "counting": counting})
