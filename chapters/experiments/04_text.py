"""Chapter 04, the long runs: how many bits does a character cost, and what is written?

A plain RNN and an LSTM (chapter 06 builds it) learn NumPy's docstrings with the chapter's own
code; n-grams of all orders count the same text. The live figure writes with the LSTM. Half an
hour, half of it for the larger network.
"""

import math
from functools import cache, partial

import numpy as np
from record import cells, run

from rnnlib import LSTM, RNN, Adam, CosineAnnealingLR, Dropout, fit
from rnnlib.checkpoints import quantize
from rnnlib.data import text
from rnnlib.ngrams import KneserNey, NGram
from rnnlib.schedules import Schedule
from rnnlib.training import Pieces

SETTINGS = {
    "models": {
        "RNN": {"learning_rate": 0.002, "epochs": 14, "seeds": [0, 1, 2]},
        "LSTM": {"learning_rate": 0.005, "epochs": 14, "seeds": [0, 1, 2]},
    },
    "larger": {
        "learning_rate": 0.004,
        "warm_up": 100,
        "cosine_epochs": 24,
        "end_from": 0.45,
        "end_epochs": 4,
        "epochs": 17,
        "seeds": [0],
        "hidden": 384,
        "embedding": 64,
        "strands": 16,
        "steps": 64,
        "forget_bias": 1.0,
        "dropped": {"inputs": 0.1, "recurrent weights": 0.3, "outputs": 0.4},
    },
    "hidden": 192,
    "embedding": 32,
    "strands": 16,
    "steps": 50,
    "clip_norm": 1.0,
    "schedule": "cosine, down to 0",
    "orders": [2, 3, 4, 5, 6, 8, 10, 12, 14],
    "strengths": [1.0, 2.0, 4.0, 8.0, 16.0],
    "shares": [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9],
    "temperatures": [0.0, 0.3, 0.5, 0.7, 0.85, 1.0, 1.2],
    "written_after": [0, 1, 3, 14],
    "written_seeds": [0, 1, 2, 3, 4],
    "written_characters": 1000,
    "read_since": [1, 2, 4, 8, 16, 32, 64, 128, 256],
    "read_stride": 50,
}
chapter = cells(
    "04_text",
    "imports",
    "docstrings",
    "parts",
    "ngram-surprise",
    "writer",
    "surprise",
    "write",
    "words",
    "copied",
)
LAYERS = {"RNN": RNN, "LSTM": LSTM}


def mean(bits):
    return round(float(np.mean(bits)), 4)


# The n-grams


@cache
def ngrams():
    """Bits of validation for each order, and of the test for the best: both ways of smoothing."""
    train = chapter.codes["train"][:, None]

    def bits(model, part="validation"):
        return mean(chapter.ngram_surprise(model.fit(train), chapter.codes[part]))

    kneser_ney = [bits(KneserNey(order, chapter.V)) for order in SETTINGS["orders"]]
    best = SETTINGS["orders"][int(np.argmin(kneser_ney))]
    tuned = {
        (order, strength): bits(NGram(order, chapter.V, strength))
        for order in SETTINGS["orders"][2:6]
        for strength in SETTINGS["strengths"]
    }
    order, strength = min(tuned, key=tuned.get)
    return {
        "Kneser-Ney": {
            "validation": kneser_ney,
            "order": best,
            "test": bits(KneserNey(best, chapter.V), "test"),
        },
        "Witten-Bell": {
            "tuning": [[*setting, value] for setting, value in tuned.items()],
            "order": order,
            "strength": strength,
            "test": bits(NGram(order, chapter.V, strength), "test"),
        },
    }


# The networks


def fresh(name, seed=0):
    sizes = chapter.V, SETTINGS["embedding"], SETTINGS["hidden"]
    return chapter.Writer(*sizes, seed, LAYERS[name])


@cache
def train(name, seed):
    """The bits of validation after each epoch, and the weights after each; "0" are the first."""
    kind, code = SETTINGS["models"][name], chapter.codes["train"]
    model = fresh(name, seed)
    pieces = Pieces(code[:-1], code[1:], SETTINGS["strands"], SETTINGS["steps"])
    optimizer = Adam(model.parameters(), lr=kind["learning_rate"])
    schedule = CosineAnnealingLR(optimizer, T_max=kind["epochs"] * len(pieces))
    curve, weights = [], {"0": model.state_dict()}

    def evaluate():
        curve.append(mean(chapter.surprise(model, chapter.codes["validation"], strands=32)))
        weights[str(len(curve))] = model.state_dict()
        print(name, seed, len(curve), curve[-1], flush=True)
        return {"validation": curve[-1]}

    fit(
        model,
        pieces,
        optimizer,
        epochs=kind["epochs"],
        clip_norm=SETTINGS["clip_norm"],
        carry_state=True,
        schedule=schedule,
        evaluate=evaluate,
        progress=False,
    )
    return curve, weights


def after(name, seed, epochs):
    """The model as it was after so many epochs."""
    model = fresh(name)
    model.load_state_dict(train(name, seed)[1][str(epochs)])
    return model.eval()


def trained(name, seed=0):
    return after(name, seed, SETTINGS["models"][name]["epochs"])


def network(name):
    """Bits of validation after each epoch and of the test, for every seed."""
    seeds = SETTINGS["models"][name]["seeds"]
    test = chapter.codes["test"]
    return {
        "seeds": seeds,
        "parameters": sum(p.data.size for p in fresh(name).parameters()),
        "validation": [train(name, seed)[0] for seed in seeds],
        "test": [mean(chapter.surprise(trained(name, seed), test)) for seed in seeds],
        "train": [
            mean(chapter.surprise(trained(name, seed), chapter.codes["train"][:70_000]))
            for seed in seeds
        ],
    }


def chances(name, seed, part, epochs=None, strands=1):
    """What each character of a part had been given, when it came."""
    model = after(name, seed, epochs or SETTINGS["models"][name]["epochs"])
    return 2.0 ** -chapter.surprise(model, chapter.codes[part], strands)


@cache
def counted():
    """The same of the best n-gram, by part."""
    ngram = KneserNey(ngrams()["Kneser-Ney"]["order"], chapter.V)
    ngram.fit(chapter.codes["train"][:, None])
    parts = "validation", "test"
    return {part: 2.0 ** -chapter.ngram_surprise(ngram, chapter.codes[part]) for part in parts}


def mix(ours):
    """The best share of a network beside the n-gram, by validation, and the bits of the test."""

    def bits(part, share):
        return mean(-np.log2(share * ours[part] + (1 - share) * counted()[part]))

    share = min(SETTINGS["shares"], key=lambda share: bits("validation", share))
    return share, bits("test", share)


def mixed():
    """Bits of a mean of both distributions, the LSTM's share chosen by validation."""
    seeds = SETTINGS["models"]["LSTM"]["seeds"]
    each = [{part: chances("LSTM", seed, part) for part in counted()} for seed in seeds]
    shares, bits = zip(*map(mix, each), strict=True)
    order = ngrams()["Kneser-Ney"]["order"]
    return {"order": order, "seeds": seeds, "share": list(shares), "test": list(bits)}


def ensemble():
    """Bits of the mean of all trainings' distributions, alone and mixed with the n-gram."""
    found = {}
    for name, kind in SETTINGS["models"].items():

        def together(part, epochs=None, strands=1, name=name, seeds=kind["seeds"]):
            each = [chances(name, seed, part, epochs, strands) for seed in seeds]
            return np.mean(each, axis=0)

        epochs = range(1, kind["epochs"] + 1)
        curve = [mean(-np.log2(together("validation", n, strands=32))) for n in epochs]
        ours = {part: together(part) for part in counted()}
        share, bits = mix(ours)
        found[name] = {
            "once": "one model of three trainings",
            "seeds": [kind["seeds"]],
            "validation": [curve],
            "test": [mean(-np.log2(ours["test"]))],
            "share": [share],
            "mixed": [bits],
        }
    return found


def reach():
    """Bits of validation by how many characters were read since the state was zero."""
    ends, code = SETTINGS["read_since"], chapter.codes["validation"]
    starts = range(0, len(code) - ends[-1] - 1, SETTINGS["read_stride"])
    windows = np.array([code[k : k + ends[-1] + 1] for k in starts]).T  # (T + 1, N)
    found = {}
    for name, kind in SETTINGS["models"].items():
        found[name] = {"seeds": kind["seeds"], "bits": []}
        for seed in kind["seeds"]:
            bits = chapter.bits_of(trained(name, seed)(windows[:-1])[0], windows[1:]).mean(axis=1)
            groups = [mean(bits[low:high]) for low, high in zip([0, *ends], ends, strict=False)]
            found[name]["bits"].append(groups)
    return found


# A larger network that cannot learn by heart so easily


class Dropped(chapter.Writer):
    """The chapter's network with an LSTM, of which training leaves out other parts each time.

    What is left is made larger, as in `Dropout`: inputs and outputs of the layer, other ones
    at each step, and recurrent weights, the same ones for all steps of a piece.
    """

    def __init__(self, seed):
        larger = SETTINGS["larger"]
        super().__init__(chapter.V, larger["embedding"], larger["hidden"], seed, LSTM)
        self.rng, share = self.rnn.rng, larger["dropped"]
        self.inputs = Dropout(share["inputs"], seed=self.rng)
        self.outputs = Dropout(share["outputs"], seed=self.rng)
        self.rnn.gate("bias_ih_l0", "f")[...] = larger["forget_bias"]

    def forward(self, x, state=None):
        weights = self.rnn.weight_hh_l0.data
        whole, share = weights.copy(), SETTINGS["larger"]["dropped"]["recurrent weights"]
        if self.training:
            kept = self.rng.random(weights.shape, dtype=np.float32) >= share
            self.mask = kept / np.float32(1 - share)
            weights *= self.mask
        h, state = self.rnn(self.inputs(self.embedding(x)), state)
        weights[...] = whole
        return self.linear(self.outputs(h)), state

    def backward(self, dlogits):
        dx, _ = self.rnn.backward(self.outputs.backward(self.linear.backward(dlogits)))
        self.rnn.weight_hh_l0.grad *= self.mask
        self.embedding.backward(self.inputs.backward(dx))


class Reordered:
    """Pieces of the training text, whose docstrings come in a new order in every epoch."""

    def __init__(self, strands, steps, seed):
        self.texts = [text.encode([one]) for one in chapter.parts["train"]]
        self.strands, self.steps, self.rng = strands, steps, np.random.default_rng(seed)

    def pieces(self, order):
        code = np.concatenate([self.texts[n] for n in order])
        return Pieces(code[:-1], code[1:], self.strands, self.steps)

    def __len__(self):
        return len(self.pieces(range(len(self.texts))))

    def __iter__(self):
        return iter(self.pieces(self.rng.permutation(len(self.texts))))


class UpAndDown(Schedule):
    """Up in a straight line, down along a cosine, and at the end in a straight line to 0."""

    def __init__(self, optimizer, updates):
        self.updates = updates  # of an epoch
        super().__init__(optimizer)

    def rate(self, n):
        larger, epoch = SETTINGS["larger"], n / self.updates
        up = min(1, (n + 1) / larger["warm_up"])
        along = (1 + math.cos(math.pi * epoch / larger["cosine_epochs"])) / 2
        end = larger["end_from"] * (larger["epochs"] - epoch) / larger["end_epochs"]
        return self.optimizer.initial_lr * up * min(along, end)


@cache
def train_larger(seed):
    """The bits of validation after each epoch, and the network."""
    larger, curve, model = SETTINGS["larger"], [], Dropped(seed)
    batches = Reordered(larger["strands"], larger["steps"], seed + 1)
    optimizer = Adam(model.parameters(), lr=larger["learning_rate"])
    schedule = UpAndDown(optimizer, len(batches))

    def evaluate():
        curve.append(mean(chapter.surprise(model, chapter.codes["validation"], strands=32)))
        print("larger", seed, len(curve), curve[-1], flush=True)
        return {"validation": curve[-1]}

    fit(
        model,
        batches,
        optimizer,
        epochs=larger["epochs"],
        clip_norm=SETTINGS["clip_norm"],
        carry_state=True,
        schedule=schedule,
        evaluate=evaluate,
        progress=False,
    )
    return curve, model.eval()


def larger():
    """Bits of the larger network, alone and mixed with the n-gram."""
    once = "a long training"
    found = {
        "once": once,
        "seeds": SETTINGS["larger"]["seeds"],
        "validation": [],
        "test": [],
        "train": [],
    }
    found |= {"share": [], "mixed": []}
    for seed in found["seeds"]:
        curve, model = train_larger(seed)
        found["validation"].append(curve)
        ours = {part: 2.0 ** -chapter.surprise(model, chapter.codes[part]) for part in counted()}
        found["test"].append(mean(-np.log2(ours["test"])))
        found["train"].append(mean(chapter.surprise(model, chapter.codes["train"][:70_000])))
        share, bits = mix(ours)
        found["share"].append(share)
        found["mixed"].append(bits)
    return found | {"parameters": sum(p.data.size for p in model.parameters())}


# What is written


def marks(written):
    """The share of known words, and the longest span that stands in the training text."""
    return {
        "known_words": [round(chapter.known_words(one), 4) for one in written],
        "copied": [float(chapter.longest_copied(one)) for one in written],
    }


def written(model, temperature=1.0):
    """A text for each seed, and its marks."""
    seeds, length = SETTINGS["written_seeds"], SETTINGS["written_characters"]
    texts = [chapter.write(model, length, temperature, seed) for seed in seeds]
    return {"seeds": seeds, "written": texts[0][:400], **marks(texts)}


def texts():
    """What the LSTM writes after each part of its training, at each temperature; held-out text."""
    length, code = SETTINGS["written_characters"], chapter.codes["test"]
    pieces = [text.decode(code[k * length : (k + 1) * length]) for k in range(30)]
    return {
        "after": {str(n): written(after("LSTM", 0, n)) for n in SETTINGS["written_after"]},
        "temperature": {str(t): written(trained("LSTM"), t) for t in SETTINGS["temperatures"]},
        "held out": marks(pieces),
    }


PARTS = {
    "ngrams": ngrams,
    **{name: partial(network, name) for name in SETTINGS["models"]},
    "mixed": mixed,
    "ensemble": ensemble,
    "larger": larger,
    "reach": reach,
    "texts": texts,
}


def figure():
    """What the live figure needs: the characters, and the LSTM in 8 bits a weight."""
    return {
        "characters": text.CHARACTERS,
        "weights": quantize(train("LSTM", 0)[1][str(SETTINGS["models"]["LSTM"]["epochs"])], bits=8),
    }


if __name__ == "__main__":
    run(__file__, SETTINGS, PARTS, {"text": figure})
