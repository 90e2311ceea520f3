"""Chapter 16: what five readers looked at and hold, who counts, and a memory of two numbers.

`readers` trains five readers of reviews and asks each by gradient and by removal; `probes` reads
facts from their states, beside all controls. `counters` trains sixteen of chapter 07's LSTMs on
aⁿbⁿ and switches off each unit; `counter` is one of them, with its weights. `plane` trains ten
readers of two units and keeps the weights of the one that is best on validation reviews. About
five minutes.
"""

from functools import cache

import numpy as np
from record import cells, run

from rnnlib.checkpoints import dequantize, quantize
from rnnlib.data import ceilings, reviews

SETTINGS = {
    "readers": {"seeds": [0, 1, 2, 3, 4], "units": 16, "asked": 3000, "test_seed": 2},
    "probes": {"reviews": 1000, "told_seed": 11, "held_out_seed": 12, "coins": 5, "shuffles": 20},
    "counters": {"seeds": list(range(16)), "units": 10, "lr": 0.03, "updates": 2000},
    "counter": {"seed": 1},  # the network that chapter 07 draws
    "plane": {"seeds": list(range(10)), "reviews": 4000, "lr": 0.01, "epochs": 20},
}
chapter = cells(
    "16_inside", "imports", "reader", "connectivity", "many-defined", "counter", "probe"
)
counting = cells("07_gru", "imports", "counting-model")
V = len(reviews.VOCABULARY)


@cache
def reader(seed):
    print("reader", seed, flush=True)
    return chapter.train(SETTINGS["readers"]["units"], seed)


def readers():
    """How often the two deciding words have the two largest numbers, and the case of two."""
    settings = SETTINGS["readers"]
    told = reviews.reviews(settings["asked"], settings["test_seed"])
    two = [one for one in told if chapter.deciding(one)]
    words = np.array([len(one.words) for one in two])
    twice = [
        one
        for one in told
        if one.skeleton.joint == "A and B" and one.skeleton.turned == (False, False)
    ]
    entry = {"asked": len(two), "twice": len(twice), "lot": np.mean(2 / (words * (words - 1)))}
    names = "right", "gradient", "removal", "same", "one enough", "both gone"
    entry |= {"seeds": settings["seeds"], **{name: [] for name in names}}
    for seed in settings["seeds"]:
        model = reader(seed)
        entry["right"].append(chapter.right(model, told))
        for name in ("gradient", "removal"):
            measure = getattr(chapter, f"by_{name}")
            entry[name].append(chapter.both_found(model, two, measure))
        firsts = [
            [abs(measure(model, one.words)).argmax() for one in two]
            for measure in (chapter.by_gradient, chapter.by_removal)
        ]
        entry["same"].append(np.mean(np.equal(*firsts)))
        one, both = [], []
        for review in twice:
            verdict = 1 if review.label else -1
            rated = [t for t, word in enumerate(review.words) if word in reviews.VALUES]
            rest = [word for t, word in enumerate(review.words) if t not in rated]
            y, gone = last(model, review.words), last(model, rest)
            lost = chapter.by_removal(model, review.words)
            one += [verdict * (y - lost[t]) > 0 for t in rated]
            both.append(verdict * gone > 0)
        entry["one enough"].append(np.mean(one))
        entry["both gone"].append(np.mean(both))
    return {name: np.round(value, 4) if name in names else value for name, value in entry.items()}


def last(model, words):
    return model(reviews.encode(words).astype(float)[:, None])[-1, 0, 0]


def word_alone(told):
    return [np.eye(V)[reviews.encode(one.words)[:, 0].astype(int)] for one in told]


def probes():
    """How often a probe is right about each fact: for each seed, by column."""
    settings, seeds = SETTINGS["probes"], SETTINGS["readers"]["seeds"]
    told, held_out = (
        reviews.reviews(settings["reviews"], settings[f"{name}_seed"])
        for name in ("told", "held_out")
    )
    columns = "trained", "untrained", "word alone", "shuffled", "same"
    found: dict[str, dict[str, list[float]]] = {}
    for seed in seeds:
        rng, model = np.random.default_rng(seed), reader(seed)
        fresh = chapter.Reader(SETTINGS["readers"]["units"], seed)
        states = {
            "trained": lambda each, model=model: chapter.read(model, each)[0],
            "untrained": lambda each, fresh=fresh: chapter.read(fresh, each)[0],
            "word alone": word_alone,
        }
        tosses = [rng.integers(0, 2, V) for _ in range(settings["coins"])]
        scores = {
            name: [chapter.probed(each, told, held_out, coins) for coins in tosses]
            for name, each in states.items()
        }
        scores["shuffled"] = [
            chapter.probed(states["trained"], told, held_out, coins, rng.permutation)
            for coins in tosses * (settings["shuffles"] // settings["coins"])
        ]
        scores["same"] = [
            {name: max(share, 1 - share) for name, share in shares.items()}
            for shares in (
                {
                    name: np.mean(
                        np.concatenate([chapter.facts(one, coins)[name] for one in held_out])
                    )
                    for name in chapter.facts(held_out[0], coins)
                }
                for coins in tosses
            )
        ]
        for name in scores["trained"][0]:
            row = found.setdefault(name, {"seeds": seeds, **{column: [] for column in columns}})
            for column in columns:
                mean = np.mean([one[name] for one in scores[column]])
                row[column].append(round(float(mean), 4))
    best = [
        max(p, 1 - p)
        for one in held_out[:100]
        for p in (ceilings.posterior(one.words[:t]) for t in range(1, len(one.words) + 1))
    ]
    return {"facts": found, "possible": round(float(np.mean(best)), 3)}


@cache
def counter_of(seed):
    """One of chapter 07's networks, with the weights that a page has, and where it fails."""
    settings = SETTINGS["counters"]
    model = counting.Counter("LSTM", 2, settings["units"], seed)
    counting.count(model, 2, settings["lr"], settings["updates"])
    weights = quantize(model.state_dict())
    model.load_state_dict({name: one.astype("f4") for name, one in dequantize(weights).items()})
    fails = counting.first_failure(model, 2)
    print("counter", seed, fails, flush=True)
    return weights, fails


def counters():
    """Of strings up to ten, how many are right without the straightest unit, and without others."""
    entry = {"seeds": SETTINGS["counters"]["seeds"]}
    entry |= {name: [] for name in ("straight", "fails", "without", "control", "at zero")}
    for seed in entry["seeds"]:
        weights, fails = counter_of(seed)
        rows, _ = chapter.looked_at(dequantize(weights), longest=10)
        best = max(range(len(rows)), key=lambda k: rows[k][0])
        others = [row for k, row in enumerate(rows) if k != best]
        entry["straight"].append(round(float(rows[best][0]), 4))
        entry["fails"].append(201 if fails is None else fails)
        entry["without"].append(rows[best][1])
        entry["control"].append(min(row[1] for row in others))
        entry["at zero"].append(min(row[2] for row in others))
    return entry


def counter():
    return {"weights": counter_of(SETTINGS["counter"]["seed"])[0]}


def plane():
    """Ten readers of two units: validation and test of each, and the weights of the best."""
    settings = SETTINGS["plane"]
    validation = reviews.reviews(1000, seed=7)
    test = reviews.reviews(1000, seed=1, words=reviews.UNSEEN)
    entry, models = {"seeds": settings["seeds"], "validation": [], "test": []}, []
    for seed in settings["seeds"]:
        more = {"count": settings["reviews"], "lr": settings["lr"], "epochs": settings["epochs"]}
        models.append(chapter.train(2, seed, **more))
        entry["validation"].append(chapter.right(models[-1], validation))
        entry["test"].append(chapter.right(models[-1], test))
        print("plane", seed, entry["validation"][-1], flush=True)
    return entry | {"weights": quantize(models[int(np.argmax(entry["validation"]))].state_dict())}


if __name__ == "__main__":
    parts = {"readers": readers, "probes": probes, "counters": counters, "counter": counter}
    run(__file__, SETTINGS, parts | {"plane": plane})
