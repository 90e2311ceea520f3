"""Chapter 10: how far the bottleneck and attention get, over the length of a text.

Three models of as many parameters are trained with as many updates: with attention, without, and
without but reading the source from its end. The learning rate of each is looked for among three,
with one seed and fewer updates. `longer` gives one model without attention four times the updates;
it is taken apart in the chapter. The first with attention is what the live figure plays. About
fifteen minutes.
"""

from functools import cache

import numpy as np
from record import cells, run

from rnnlib.checkpoints import dequantize, quantize
from rnnlib.data import dates

SETTINGS = {
    "texts": 16000,
    "texts_seed": 0,
    "things_listed": [1, 2, 3, 4],
    "batch_size": 64,
    "units": {"attention": 64, "bottleneck": 70, "reversed": 70},  # as many parameters
    "learning_rates": [0.006, 0.012, 0.024],
    "tuning_seed": 9,
    "tuning_updates": 600,
    "updates": 1500,
    "seeds": [0, 1, 2],
    "exam": {"things_listed": [1, 2, 3, 4, 5, 6], "texts": 200, "seed": 5},
}
chapter = cells("10_translation", "imports", "model", "train", "translate")


@cache
def texts():
    some = SETTINGS["texts"], SETTINGS["things_listed"], SETTINGS["texts_seed"]
    return dates.pairs(*some)


@cache
def exam(listed):
    settings = SETTINGS["exam"]
    return dates.pairs(settings["texts"], [listed], [settings["seed"], listed], test=True)


@cache
def trained(kind, lr, seed, updates):
    model = chapter.translator(SETTINGS["units"][kind], kind == "attention", seed)
    back = kind == "reversed"
    batches = dates.batches(texts(), SETTINGS["batch_size"], seed, reverse_source=back)
    losses = chapter.train(model, batches, lr, updates)
    model.eval()
    listed = SETTINGS["exam"]["things_listed"]
    shares = [round(chapter.exact(model, exam(n), back), 4) for n in listed]
    print(kind, lr, seed, round(float(np.mean(losses[-100:])), 4), shares, flush=True)
    return model, np.mean(np.reshape(losses, (-1, 50)), axis=1).round(4), shares


@cache
def best(kind):
    """The learning rate whose loss was lowest at the end, and the losses of all."""
    seed, updates = SETTINGS["tuning_seed"], SETTINGS["tuning_updates"]
    rates = SETTINGS["learning_rates"]
    tried = {lr: trained(kind, lr, seed, updates)[1][-4:].mean().round(4) for lr in rates}
    return min(tried, key=tried.get), tried


def final(kind, seed, times=1):
    return trained(kind, best(kind)[0], seed, times * SETTINGS["updates"])


LONGER = 4  # times the updates, for one of the models without attention


def scores(kind):
    lr, tried = best(kind)
    each = [final(kind, seed) for seed in SETTINGS["seeds"]]
    return {
        "parameters": chapter.count(each[0][0]),
        "tuning": {"lr": lr, "tried": tried},
        "seeds": SETTINGS["seeds"],
        "loss": [losses for _, losses, _ in each],
        "exact": [shares for *_, shares in each],
    }


def longer():
    """What the model that reads from the end reaches with more updates, and its weights."""
    model, losses, shares = final("reversed", SETTINGS["seeds"][0], LONGER)
    return {
        "updates": LONGER * SETTINGS["updates"],
        "loss": losses,
        "exact": shares,
        "weights": quantize(model.state_dict(), bits=8),
    }


def first(weights):
    """What the live figure draws before its weights are fetched: a date, and where it looks."""
    model = chapter.translator(SETTINGS["units"]["attention"], attention=True, seed=0)
    model.load_state_dict({name: one.astype("f4") for name, one in weights.items()})
    model.eval()
    source = "Friday, January 5, 2024"
    state, memory, lengths = chapter.read(model, [source])
    written = dates.encode(chapter.translate(model, [source])[0], "hu")
    target = np.append(written, dates.END)[:, None]
    model.decoder(chapter.teacher_forcing(target, dates.START), state, memory, lengths)
    return {
        "source": dates.split(source, "en"),
        "target": [dates.WORDS["hu"][k] for k in target[:, 0]],
        "looks": [[round(float(x), 2) for x in row] for row in model.decoder.weights[:, 0]],
    }


def translation():
    """What the live figure needs: the words of both languages, and the first with attention."""
    model, *_ = final("attention", SETTINGS["seeds"][0])
    weights = quantize(model.state_dict(), bits=8)
    return {"words": dates.WORDS, "first": first(dequantize(weights)), "weights": weights}


PARTS = {
    "attention": lambda: scores("attention"),
    "bottleneck": lambda: scores("bottleneck"),
    "reversed": lambda: scores("reversed"),
    "longer": longer,
}

if __name__ == "__main__":
    run(__file__, SETTINGS, PARTS, {"translation": translation})
