"""Chapter 13: frames of many notes, and four voices one after the other.

`split`, `counted`, `cells` and `padding` need the standard split, an optional download
(rnnlib.data.music.standard). `choir` trains the network of the live figure, whose weights the
chapter reads; `marks` counts what it writes, and `media` writes the chapter's clips and MIDI files.
The learning rate is looked for with a seed of its own, at equal cost. About ten minutes.
"""

import sys
from functools import cache
from itertools import combinations
from pathlib import Path

import numpy as np
from record import cells, run

import rnnlib
from rnnlib.checkpoints import dequantize, quantize
from rnnlib.data import harmony, midi, music
from rnnlib.ngrams import KneserNey, NGram
from rnnlib.training import EarlyStopping

SETTINGS = {
    "tuning_seed": 9,
    "seeds": [0, 1, 2],
    "cells": {"tanh": 100, "LSTM": 36, "GRU": 46},
    "lr": [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05],
    "coins": {"H": 96, "dropout": 0.3, "lr": [0.004, 0.01, 0.02, 0.05]},
    "added": [0.0001, 0.001, 0.01, 0.1, 1.0],
    "epochs": 60,
    "patience": 6,
    "padding": {"seeds": [0], "epochs": 12},
    "span": 16,
    "orders": [3, 4, 5, 6, 8],
    "strengths": [0.1, 0.3, 1.0, 3.0],
    "choir": {"E": 32, "H": 96, "lr": 0.004, "dropout": 0.3, "epochs": 40},
    "pieces": 100,
    "beats": 60,
    "cool": 0.7,
}
KINDS = {"tanh": rnnlib.RNN, "LSTM": rnnlib.LSTM, "GRU": rnnlib.GRU}
chapter = cells(
    "13_music",
    *("imports", "chorales-run", "frames-network", "leak"),
    *("code", "choir", "write", "synthesiser"),
)


@cache
def standard():
    return music.standard()


@cache
def own():
    names = "train", "valid", "test"
    parts = music.split(chapter.pieces)
    return {n: list(map(music.piano_roll, part)) for n, part in zip(names, parts, strict=True)}


def tunes_known(rolls, others):
    """Which pieces share so many highest notes in a row with one of the others."""

    def spans(roll):
        tune = [int(np.flatnonzero(frame).max(initial=-1)) for frame in roll]
        span = SETTINGS["span"]
        return {tuple(tune[t : t + span]) for t in range(len(tune) - span + 1)}

    known = set().union(*map(spans, others))
    return [not known.isdisjoint(spans(roll)) for roll in rolls]


def split():
    parts = standard()
    known = sum(tunes_known(parts["test"], parts["train"]))
    return {**{name: len(part) for name, part in parts.items()}, "known": known}


# Without a network


def coins_cost(p, v):
    """Nats per frame, from the probabilities of the keys."""
    return float(-np.log(np.where(v == 1, p, 1 - p)).sum(axis=1).mean())


def counted():
    """The marginals, and a Markov chain for each key; what is added to all counts is tuned."""
    rolls = {n: np.concatenate(part) for n, part in standard().items()}
    before = {
        n: np.concatenate([np.concatenate([0 * r[:1], r[:-1]]) for r in part])
        for n, part in standard().items()
    }
    known = np.array(tunes_known(standard()["test"], standard()["train"]))
    known = np.repeat(known, list(map(len, standard()["test"])))
    found = {}
    for name in ("marginals", "Markov"):
        best = {"validation": np.inf}
        for added in SETTINGS["added"]:

            def chance(part, added=added, name=name):
                same = [
                    np.ones_like(before["train"]) if name == "marginals" else before["train"] == u
                    for u in (0, 1)
                ]
                p = [((rolls["train"] * s).sum(0) + added) / (s.sum(0) + 2 * added) for s in same]
                return np.where(before[part] == 1, p[1], p[0])

            cost = coins_cost(chance("valid"), rolls["valid"])
            if cost < best["validation"]:
                p, v = chance("test"), rolls["test"]
                best = {"added": added, "validation": cost, "test": coins_cost(p, v)}
                best["known tune"] = coins_cost(p[known], v[known])
                best["new tune"] = coins_cost(p[~known], v[~known])
        found[name] = best
    return found


def voices():
    """Each voice a Markov chain of its own, with the trust in its counts tuned."""
    found = {"validation": np.inf}
    for strength in SETTINGS["strengths"]:
        models = chains(strength)
        costs = {}
        for part in ("validation", "test"):
            total = 0.0
            for piece in chapter.parts[part]:
                for v, model in enumerate(models):
                    line = piece[:, v] - chapter.LOW[v] + 1
                    p = model.predict(np.append(0, line[:-1])[None])
                    total -= np.log(p[np.arange(len(line)), line]).sum()
            costs[part] = total / sum(map(len, chapter.parts[part]))
        if costs["validation"] < found["validation"]:
            found = {"strength": strength, **costs}
    return found


@cache
def chains(strength):
    """A Markov chain for each voice; 0 stands before its first note."""
    longest = max(map(len, chapter.parts["train"]))
    models = []
    for v in range(4):
        lines = np.full((longest, len(chapter.parts["train"])), -1)
        for n, piece in enumerate(chapter.parts["train"]):
            lines[: len(piece), n] = piece[:, v] - chapter.LOW[v] + 1
        models.append(NGram(2, int(chapter.SIZES[v]) + 1, strength).fit(lines))
    return models


def alone(beats, seed):
    """(T, 4): four voices that do not hear each other."""
    rng = np.random.default_rng(seed)
    piece = np.zeros((beats, 4), dtype=int)
    for v, model in enumerate(chains(voices()["strength"])):
        line = 0
        for t in range(beats):
            p = model.predict(np.array([[line]]))[0]
            p[0] = 0  # the sign of the beginning is no note
            line = rng.choice(len(p), p=p / p.sum())
            piece[t, v] = chapter.LOW[v] + line - 1
    return piece


def ngram():
    """Kneser and Ney's n-gram over the long sequence of voices."""
    longest = max(map(len, chapter.codes["train"])) + 1
    y = np.full((longest, len(chapter.codes["train"])), -1)
    for n, code in enumerate(chapter.codes["train"]):
        y[: len(code) + 1, n] = np.append(code, chapter.END)
    best = {"validation": np.inf}
    for order in SETTINGS["orders"]:
        model, costs = KneserNey(order, int(chapter.V)).fit(y), {}
        for part in ("validation", "test"):
            total = 0.0
            for code in chapter.codes[part]:
                whole = np.concatenate([np.zeros(order - 1, int), code, [chapter.END]])
                context = np.array([whole[k : k + len(code) + 1] for k in range(order - 1)])
                p = model.predict(context)
                total -= np.log(p[np.arange(len(p)), whole[order - 1 :]]).sum()
            costs[part] = total / (sum(map(len, chapter.codes[part])) / 4)
        if costs["validation"] < best["validation"]:
            best = {"order": order, **costs}
    return best


# Frames


def train(model, parts, lr, seed):
    """The network with its best validation score, and that score."""
    stopping = EarlyStopping("validation", SETTINGS["patience"])
    rnnlib.fit(
        model,
        chapter.batches(parts["train"], 8, seed),
        rnnlib.Adam(model.parameters(), lr=lr),
        loss=chapter.masked,
        clip_norm=1.0,
        epochs=SETTINGS["epochs"],
        evaluate=lambda: {"validation": chapter.nats(model, parts["valid"])},
        early_stopping=stopping,
        progress=False,
    )
    print(type(model.rnn).__name__, lr, seed, round(stopping.best, 3), flush=True)
    return model, stopping.best


def frames(kind, parts, seed):
    return chapter.Frames(KINDS[kind], SETTINGS["cells"][kind], parts["train"], seed)


def tuned(make, rates, parts):
    """The learning rate that a seed of its own chooses, and all that was tried."""
    seed = SETTINGS["tuning_seed"]
    tried = [[lr, train(make(seed), parts, lr, seed)[1]] for lr in rates]
    return {"lr": min(tried, key=lambda one: one[1])[0], "tried": tried}


@cache
def chosen(kind):
    return tuned(lambda seed: frames(kind, standard(), seed), SETTINGS["lr"], standard())


def in_parts():
    """Validation and test scores of each kind; those of test pieces with a known tune apart."""
    found = {}
    known = np.array(tunes_known(standard()["test"], standard()["train"]))
    for kind in SETTINGS["cells"]:
        how = chosen(kind)
        entry = {"tuning": how, "seeds": SETTINGS["seeds"], "validation": [], "test": []}
        entry |= {"known tune": [], "new tune": []}
        for seed in SETTINGS["seeds"]:
            model, best = train(frames(kind, standard(), seed), standard(), how["lr"], seed)
            entry["validation"].append(best)
            for name, which in (("test", known >= 0), ("known tune", known), ("new tune", ~known)):
                rolls = [r for r, w in zip(standard()["test"], which, strict=True) if w]
                entry[name].append(chapter.nats(model, rolls))
        entry["parameters"] = sum(p.data.size for p in model.parameters())
        found[kind] = entry
    return found


def padding():
    """The GRU trained and scored as if silence behind the end were music."""

    def filled(rolls):
        longest = max(map(len, rolls))
        v = np.zeros((longest, len(rolls), 88), dtype=np.float32)
        for n, roll in enumerate(rolls):
            v[: len(roll), n] = roll
        return np.concatenate([0 * v[:1], v[:-1]]), v

    def score(model, B, masked=False):
        model.eval()
        rolls, total, count = standard()["test"], 0.0, 0
        for start in range(0, len(rolls), B):
            x, v = filled(rolls[start : start + B])
            lengths = np.array(list(map(len, rolls[start : start + B])))
            ends = lengths if masked else len(v)  # a rest within a piece is music
            mask = np.arange(len(v))[:, None] < np.broadcast_to(ends, len(lengths))
            total += mask.sum() * rnnlib.bernoulli_nll(model(x), v, mask)[0]
            count += mask.sum()
        model.train()
        return total / count

    how, found = chosen("GRU"), {"batches of 8": [], "one array": [], "in truth": []}
    found |= {"once": "the fault is larger than any spread"} | SETTINGS["padding"]
    for seed in found["seeds"]:
        model = chapter.Frames(rnnlib.GRU, SETTINGS["cells"]["GRU"], standard()["train"], seed)
        rnnlib.fit(
            model,
            rnnlib.Batches(*filled(standard()["train"]), 8, seed=seed),
            rnnlib.Adam(model.parameters(), lr=how["lr"]),
            loss=rnnlib.bernoulli_nll,
            clip_norm=1.0,
            epochs=SETTINGS["padding"]["epochs"],
            progress=False,
        )
        found["batches of 8"].append(score(model, 8))
        found["one array"].append(score(model, len(standard()["test"])))
        found["in truth"].append(score(model, 8, masked=True))
    lengths = np.array(list(map(len, standard()["test"])))
    return found | {"padding": float(1 - lengths.mean() / lengths.max())}


class Dropped(chapter.Frames):
    """The coins with what the choir has, too: its number of units, and dropout."""

    def __init__(self, parts, seed):
        how = SETTINGS["coins"]
        super().__init__(rnnlib.GRU, how["H"], parts["train"], seed)
        self.dropout = rnnlib.Dropout(how["dropout"], seed=seed)

    def forward(self, x):
        h, _ = self.rnn(x)
        return self.linear(self.dropout(h))

    def backward(self, ds):
        self.rnn.backward(self.dropout.backward(self.linear.backward(ds)))


def coins():
    """Coins as large as the choir, trained and tested on our own pieces."""
    how = tuned(lambda seed: Dropped(own(), seed), SETTINGS["coins"]["lr"], own())
    found = {"tuning": how, "seeds": SETTINGS["seeds"], "test": []}
    for seed in SETTINGS["seeds"]:
        model, _ = train(Dropped(own(), seed), own(), how["lr"], seed)
        found["test"].append(chapter.nats(model, own()["test"]))
    return found | {"parameters": sum(p.data.size for p in model.parameters())}


# Voices, one after the other


@cache
def trained(seed):
    how = SETTINGS["choir"]
    model = chapter.Choir(chapter.V, how["E"], how["H"], how["dropout"], seed)
    stopping = EarlyStopping("validation", 6)
    rnnlib.fit(
        model,
        chapter.sung(chapter.codes["train"], seed),
        rnnlib.Adam(model.parameters(), lr=how["lr"]),
        loss=chapter.next_note,
        clip_norm=1.0,
        epochs=how["epochs"],
        evaluate=lambda: {"validation": chapter.per_beat(model, chapter.codes["validation"])},
        early_stopping=stopping,
        progress=False,
    )
    print("choir", seed, stopping.best, flush=True)
    return model.eval(), stopping.best


def choir():
    models = [trained(seed) for seed in SETTINGS["seeds"]]
    return {
        "seeds": SETTINGS["seeds"],
        "validation": [best for _, best in models],
        "test": [chapter.per_beat(model, chapter.codes["test"]) for model, _ in models],
        "parameters": sum(p.data.size for p in models[0][0].parameters()),
    }


@cache
def stored():
    """The network with the weights that the page has: 8 bits each."""
    how = SETTINGS["choir"]
    model = chapter.Choir(chapter.V, how["E"], how["H"], how["dropout"], 0)
    model.load_state_dict(dequantize(quantize(trained(0)[0].state_dict(), bits=8)))
    return model.eval()


def together(piece):
    """How often two voices move in the same direction: only then can there be parallels."""
    steps = np.diff(piece, axis=0)
    return sum(int((steps[:, u] * steps[:, v] > 0).sum()) for u, v in combinations(range(4), 2))


def counts(pieces):
    """Parallel fifths and octaves in 100 such moves of two voices, and how many in a beat; then
    the shares of beats in order and of triads."""
    moves = sum(map(together, pieces))
    return [
        *(100 * sum(harmony.parallels(piece, n) for piece in pieces) / moves for n in (7, 0)),
        moves / sum(map(len, pieces)),
        float(np.concatenate([harmony.in_order(piece) for piece in pieces]).mean()),
        float(np.concatenate([harmony.is_triad(piece) for piece in pieces]).mean()),
    ]


def marks():
    """What a teacher would mark, in Bach's held-out pieces and in what was drawn.

    Beside them Bach's own chords, the beats of each piece in an order by lot.
    """
    beats, seeds = SETTINGS["beats"], range(SETTINGS["pieces"])
    held_out = [*chapter.parts["validation"], *chapter.parts["test"]]
    rng = np.random.default_rng(0)
    shuffled = [piece[rng.permutation(len(piece))] for piece in held_out]
    drawn = {
        name: [chapter.write(stored(), beats, warmth, seed) for seed in seeds]
        for name, warmth in (("network", 1.0), ("cool", SETTINGS["cool"]))
    }
    drawn["alone"] = [alone(beats, seed) for seed in seeds]
    drawn["shuffled"] = shuffled
    return {"Bach": counts(held_out), **{name: counts(some) for name, some in drawn.items()}}


@cache
def heard():
    """The pieces that the page shows and plays."""
    bach = chapter.told["bwv269"][:32]
    network = chapter.write(stored(), 32, SETTINGS["cool"], seed=0, start=bach[:1])
    drawn = {"network": network, "alone": alone(32, seed=0)}
    return {"written": {name: chapter.encode(one) for name, one in drawn.items()}}


def media():
    """The clips and MIDI files of the page, and how many beats each has."""
    pieces = {name: chapter.decode(code) for name, code in heard()["written"].items()}
    pieces["bach"] = chapter.told["bwv269"][:32]
    if "--check" not in sys.argv:
        import soundfile

        folder = Path(__file__).resolve().parents[1] / "media"
        for name, piece in pieces.items():
            path = str(folder / f"13_music-{name}")
            soundfile.write(f"{path}.mp3", chapter.sound(piece), chapter.RATE)
            midi.write(f"{path}.mid", piece)
    return {name: len(piece) for name, piece in pieces.items()}


def figure():
    """What the live figure needs: the voices' ranges, and the network in 8 bits a weight."""
    return {
        "low": chapter.LOW,
        "sizes": chapter.SIZES,
        "chord": chapter.told["bwv269"][0],
        "weights": quantize(trained(0)[0].state_dict(), bits=8),
    }


PARTS = {
    "split": split,
    "counted": counted,
    "voices": voices,
    "ngram": ngram,
    "cells": in_parts,
    "padding": padding,
    "coins": coins,
    "choir": choir,
    "marks": marks,
    "heard": heard,
    "media": media,
}

if __name__ == "__main__":
    run(__file__, SETTINGS, PARTS, {"music": figure})
