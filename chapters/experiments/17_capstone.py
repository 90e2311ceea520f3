"""Chapter 17: three tasks, as many trials on both sides, and what luck alone makes of trials.

`basin`, `heat` and `pump` follow the protocol of the chapter: the log of all trials, then the
chosen model of each side trained anew, and the test opened once; the pump with training parts of
four lengths. `chance` trains one model many times with one setting. About eight minutes.
"""

import numpy as np
from record import cells, run

import rnnlib
from rnnlib.checkpoints import quantize
from rnnlib.data import capstone

SETTINGS = {
    "seeds": [10, 11, 12, 13, 14],  # of the test; those of the search are the chapter's
    "training": {"basin": [600], "heat": [600], "pump": [200, 600, 2000, 6000]},
    "test": 2000,
    "worth": 0.02,  # of the baseline's validation loss
    "chance": {"trainings": 60, "parts": [100, 50, 2000], "k": 16, "H": 16, "lr": 0.03},
}
chapter = cells("17_capstone", "imports", "task", "ridge", "models", "train", "plan", "trial")


def rounded(values, digits=6):
    return np.round(np.asarray(values, float), digits).tolist()


def decide(name, training):
    """The protocol for one task: its log, and the losses of the chosen models on the test."""
    task = capstone.load(name, training, training // 2, SETTINGS["test"])
    trials = chapter.search(task)
    chosen = {side: trials.best(side) for side in rnnlib.trials.SIDES}
    worth = SETTINGS["worth"] * chosen["baseline"]["validation"]
    test = trials.open_test()
    losses, weights, overtakes = {}, {}, []
    for side, best in chosen.items():
        told, weights[side] = [], []
        for seed in SETTINGS["seeds"]:
            if best["model"] == "ridge":  # has no seed
                told = [chapter.ridge(task.training, **best["settings"])]
                continue
            net = chapter.network(best["model"], best["settings"], seed)
            one, history = chapter.train(net, task, best["settings"]["lr"], seed)
            told.append(one)
            weights[side].append(quantize(net.state_dict()))
            if side == "recurrent":
                below = np.less(history["validation"], chosen["baseline"]["validation"])
                each = len(history["step"]) // len(below)
                overtakes.append(int(each * (1 + below.argmax())) if below.any() else None)
        losses[side] = np.array([chapter.squared(one(test.x), test) for one in told])
    low, high = rnnlib.paired_interval(losses["baseline"], losses["recurrent"])
    entry = {
        "training": training,
        "tuning": {"log": trials.rows, "chosen": chosen, "overtakes": overtakes},
        "seeds": SETTINGS["seeds"],
        "test": {side: rounded(each.mean(axis=1)) for side, each in losses.items()},
        "best possible": float(rounded(chapter.squared(test.best, test).mean())),
        "interval": rounded([low, high]),
        "worth": float(rounded(worth)),
        "verdict": rnnlib.verdict(low, high, worth),
    }
    print({key: value for key, value in entry.items() if key != "tuning"}, flush=True)
    print(chosen, overtakes, trials.cost("baseline"), trials.cost("recurrent"), flush=True)
    return entry, weights


def basin():
    entry, weights = decide("basin", *SETTINGS["training"]["basin"])
    return entry | {"weights": weights}


def heat():
    return decide("heat", *SETTINGS["training"]["heat"])[0]


def pump():
    return [decide("pump", training)[0] for training in SETTINGS["training"]["pump"]]


def chance():
    """One model, trained again and again: each training is as good as another, but for luck."""
    settings = dict(SETTINGS["chance"])
    count, task = settings.pop("trainings"), capstone.load("pump", *settings.pop("parts"))
    found = {"validation": [], "test": []}
    for seed in range(count):
        told, report = chapter.trial(task, "window network", settings, seed)
        found["validation"].append(report["validation"])
        found["test"].append(chapter.squared(told(task.test.x), task.test).mean())
    return {"seeds": list(range(count))} | {key: rounded(each, 4) for key, each in found.items()}


if __name__ == "__main__":
    run(__file__, SETTINGS, {"basin": basin, "heat": heat, "pump": pump, "chance": chance})
