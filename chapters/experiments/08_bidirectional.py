"""Chapter 08: one way and both ways on a count of votes; what each fault costs; what depth buys.

`votes` trains both readers five times. `faults` trains readers without a fault and lets them read
with one; `trained` trains them with the fault. `depth` reads whole digits with one layer, with two
and with both directions, all of about as many parameters, the learning rate looked for with
another seed at equal budget for each. About ten minutes.
"""

import numpy as np
from record import cells, run

import rnnlib
from rnnlib.data import digits

SETTINGS = {
    "votes": {"seeds": [0, 1, 2, 3, 4], "T": 15, "updates": 600},
    "faults": {"seeds": [0, 1, 2, 3, 4], "epochs": 32, "paddings": [0.0, -1.0, 1.0]},
    "depth": {
        "seeds": [0, 1, 2, 3, 4],
        "tuning_seed": 9,
        "learning_rates": [0.005, 0.01, 0.02],
        "epochs": 40,
        "layers, directions, units": {
            "one layer": [1, 1, 40],
            "two layers": [2, 1, 23],
            "both ways": [1, 2, 28],
        },
    },
}
chapter = cells("08_bidirectional", "imports", "votes", "tagger", "reader")

#: Each reader, and the faults that it can have.
FAULTS = {
    "one way, last": ["no lengths", "out[-1]"],
    "both ways, last": ["no lengths", "out[-1]"],
    "one way, mean": ["no lengths", "divide by T", "mean over all"],
    "both ways, mean": ["no lengths", "divide by T", "mean over all"],
}
TRAINED = {
    "one way, last": ["out[-1]"],
    "both ways, last": ["no lengths", "out[-1]"],
    "one way, mean": ["divide by T", "mean over all"],
    "both ways, mean": ["mean over all"],
}


def votes():
    settings = SETTINGS["votes"]
    entry = {"seeds": settings["seeds"]}
    for name, both in (("one way", False), ("both ways", True)):
        shares = []
        for seed in settings["seeds"]:
            model = chapter.Tagger(2, both, seed)
            how = {"updates": settings["updates"]}
            chapter.train(model, chapter.some_counts, rnnlib.cross_entropy, seed, **how)
            shares.append(np.round(chapter.right(model), 4).tolist())
            print(name, seed, min(shares[-1]), flush=True)
        entry[name] = shares
    return entry


def reader(name, fault, seed):
    ways, pool = name.split(", ")
    model = chapter.Reader(ways == "both ways", pool, fault, seed)
    return chapter.fit(model, chapter.training, SETTINGS["faults"]["epochs"], seed=seed)


def faults():
    """Of readers that were trained as they should be."""
    settings = SETTINGS["faults"]
    found = {}
    for name, wrong in FAULTS.items():
        entry = {"seeds": settings["seeds"], "right": [], "alone": []}
        entry |= {fault: [] for fault in wrong}
        for seed in settings["seeds"]:
            model = reader(name, None, seed)
            entry["right"].append(round(chapter.score(model, chapter.test), 4))
            alone = chapter.score(model, chapter.test, company=False)
            entry["alone"].append(round(alone, 4))
            for model.fault in wrong:
                scores = [
                    chapter.score(model, chapter.test, padding) for padding in settings["paddings"]
                ]
                entry[model.fault].append(np.round(scores, 4).tolist())
            print(name, seed, {key: value[-1] for key, value in entry.items()}, flush=True)
        found[name] = entry
    return found


def trained():
    """Of readers that have learnt to live with the fault."""
    settings = SETTINGS["faults"]
    found = {}
    for name, wrong in TRAINED.items():
        for fault in wrong:
            entry = {"seeds": settings["seeds"], "company": [], "alone": []}
            for seed in settings["seeds"]:
                model = reader(name, fault, seed)
                for how in ("company", "alone"):
                    share = chapter.score(model, chapter.test, company=how == "company")
                    entry[how].append(round(share, 4))
            print(name, fault, entry, flush=True)
            found[f"{name}: {fault}"] = entry
    return found


class Deep(chapter.Reader):
    """The chapter's reader with another number of layers and units."""

    def __init__(self, layers, directions, units, seed):
        super().__init__(directions == 2, "last", None, seed)
        how = {"seed": np.random.default_rng(seed), "dtype": np.float32}
        self.rnn = rnnlib.GRU(1, units, num_layers=layers, bidirectional=directions == 2, **how)
        self.output = rnnlib.Linear(directions * units, 10, **how)


def depth():
    settings, found = SETTINGS["depth"], {}
    training, validation, test = digits.split(*digits.pictures())
    for name, shape in settings["layers, directions, units"].items():

        def scored(lr, seed, part, shape=shape):
            model = chapter.fit(Deep(*shape, seed), training, settings["epochs"], lr, seed)
            return round(chapter.score(model, part), 4)

        tried = {
            lr: scored(lr, settings["tuning_seed"], validation) for lr in settings["learning_rates"]
        }
        lr = max(tried, key=tried.get)
        parameters = sum(p.data.size for p in Deep(*shape, 0).parameters())
        entry = {"seeds": settings["seeds"], "tuning": {"lr": lr, "tried": tried}}
        entry |= {"parameters": parameters}
        entry["test"] = [scored(lr, seed, test) for seed in settings["seeds"]]
        print(name, entry, flush=True)
        found[name] = entry
    return found


PARTS = {"votes": votes, "faults": faults, "trained": trained, "depth": depth}

if __name__ == "__main__":
    run(__file__, SETTINGS, PARTS)
