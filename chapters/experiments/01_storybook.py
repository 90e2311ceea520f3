"""Chapter 01, the long runs: who still knows the reason, over the distance?

n-grams of orders 1 to 16, feed-forward nets with a window, plain RNNs and LSTMs learn the same
16,000 stories and answer the same exam. The live figure of chapter 01 plays the first of the RNNs,
that of chapter 06 the first of the LSTMs. About an hour; the parts are the models' names.
"""

from functools import cache, partial

import numpy as np
from record import cells, run

from rnnlib import LSTM, Adam, fit, softmax
from rnnlib.checkpoints import dequantize, quantize
from rnnlib.data import storybook
from rnnlib.ngrams import NGram

SETTINGS = {
    "stories": 16000,
    "stories_seed": 0,
    "validation_stories": 2000,
    "validation_seed": 1,
    "fillers_per_distance": 60,
    "exam_seed": 2,
    "filler_words": [0, 1, 2, 3, 4, 6, 8, 10, 13, 16, 20, 25, 30, 36],
    "batch_size": 32,
    "embedding": 32,
    "clip_norm": 1.0,
    "orders": list(range(1, 17)),
    "strengths": [0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0],
    "learning_rates": [0.002, 0.004, 0.008],
    "last_quarter": "of the epochs at an eighth of the learning rate",
    "models": {
        "RNN": {"hidden": 64, "epochs": 24, "seeds": [0, 1, 2, 3, 4]},
        "LSTM": {"hidden": 64, "epochs": 12, "seeds": [0, 1, 2]},
        "window of 12": {"hidden": 128, "epochs": 8, "seeds": [0, 1, 2], "width": 12},
        "one word": {"hidden": 128, "epochs": 8, "seeds": [0, 1, 2], "width": 1},
        "RNN, 128 units": {"hidden": 128, "epochs": 24, "seeds": [0, 1, 2]},
    },
    "troubles_filler_words": [6, 8, 10, 16],
    "fillers_with_and_without_troubles": 40,
}
chapter = cells("01_storybook", "imports", "score", "exam", "window", "summary")
V = len(storybook.VOCABULARY)


class NextWordLSTM(chapter.NextWord):
    """The chapter's three layers with an LSTM in the middle."""

    def __init__(self, V, I, H, seed):
        super().__init__(V, I, H, seed)
        self.rnn = LSTM(I, H, seed=np.random.default_rng([seed, 1]), dtype=np.float32)


@cache
def told():
    return storybook.stories(SETTINGS["stories"], SETTINGS["stories_seed"])


@cache
def validation():
    return storybook.stories(SETTINGS["validation_stories"], SETTINGS["validation_seed"])


@cache
def exams():
    count, seed = SETTINGS["fillers_per_distance"], SETTINGS["exam_seed"]
    return [chapter.exam_after(n, count, [seed, n]) for n in SETTINGS["filler_words"]]


@cache
def by_troubles():
    """Exams without and with other people's troubles in the filler, for each of some lengths."""
    count = SETTINGS["fillers_with_and_without_troubles"]
    exams = {"quiet": [], "troubled": []}
    for filler in SETTINGS["troubles_filler_words"]:
        rng = np.random.default_rng([SETTINGS["exam_seed"], filler, 1])
        found = {"quiet": [], "troubled": []}
        while min(map(len, found.values())) < count:
            exam = chapter.exam_after(filler, 1, rng)
            found["troubled" if "says" in exam[0].words else "quiet"].append(exam)
        for kind, each in found.items():
            exams[kind].append([one for exam in each[:count] for one in exam])
    return exams


def scores(predict, *exams):
    """Accuracy and bits in each exam of what `predict` makes of its stories: two lists."""
    marks = [chapter.score(predict(told), [one.reason for one in told]) for told in exams]
    return np.round(marks, 4).T.tolist()


# The n-grams


def contexts(told):
    """(T, N) words before each story's last, flush with the end."""
    T = max(len(one.words) for one in told) - 1
    context = np.full((T, len(told)), storybook.START)
    for n, one in enumerate(told):
        context[T - len(one.words) + 1 :, n] = [storybook.INDEX[word] for word in one.words[:-1]]
    return context


def at_ends(model):
    return lambda told: model.predict(contexts(told))


@cache
def strength(order):
    """The trust that validation prefers."""
    model = NGram(order, V).fit(storybook.encode(told())[1])

    def bits(strength):
        model.strength = strength
        return scores(at_ends(model), validation())[1][0]

    return min(SETTINGS["strengths"], key=bits)


def ngrams(times=1):
    """Scores of all orders over the distance, from so many times the stories."""
    some = storybook.stories(times * SETTINGS["stories"], SETTINGS["stories_seed"])
    result = {"strength": [], "accuracy": [], "bits": [], "seen": []}
    for order in SETTINGS["orders"]:
        model = NGram(order, V, strength(order)).fit(storybook.encode(some)[1])
        accuracy, bits = scores(at_ends(model), *exams())
        seen = [round(float(model.seen(contexts(exam)).mean()), 4) for exam in exams()]
        for name, value in zip(result, (model.strength, accuracy, bits, seen), strict=True):
            result[name].append(value)
    return result


# The networks


@cache
def train(name, seed, lr, epochs):
    """A model of this name, trained: it maps words (T, N) to scores (T, N, V)."""
    kind = SETTINGS["models"][name]
    I, H = SETTINGS["embedding"], kind["hidden"]
    batches = storybook.batches(told(), SETTINGS["batch_size"], seed)
    quarters = [(lr, epochs - epochs // 4), (lr / 8, epochs // 4)]
    if "width" in kind:
        model = chapter.Window(V, I, H, seed, kind["width"])
    else:
        model = (NextWordLSTM if name == "LSTM" else chapter.NextWord)(V, I, H, seed)
    optimizer = Adam(model.parameters(), lr=lr)
    for optimizer.lr, some in quarters:
        settings = {"clip_norm": SETTINGS["clip_norm"], "progress": False}
        fit(model, batches, optimizer, epochs=some, **settings)
    return model.eval()


def at_blanks(model):
    """What maps stories to the probabilities (N, V) of each one's last word."""

    def probabilities(told):
        x, y = storybook.encode(told)
        last = (y >= 0).sum(axis=0) - 1
        return softmax(model(x)[last, np.arange(len(told))].astype(np.float64))

    return probabilities


@cache
def neural(name):
    """A model's scores over the distance, for every seed, at its own best learning rate."""
    kind = SETTINGS["models"][name]
    tuning = {}
    for lr in SETTINGS["learning_rates"]:
        model = train(name, kind["seeds"][0], lr, kind["epochs"] // 2)
        tuning[lr] = scores(at_blanks(model), validation())[1][0]
    lr = min(tuning, key=tuning.get)
    entry = {"tuning": {"validation_bits": tuning, "learning_rate": lr}, "seeds": kind["seeds"]}
    entry |= {"parameters": 0, "accuracy": [], "bits": [], "quiet": [], "troubled": []}
    for seed in kind["seeds"]:
        model = train(name, seed, lr, kind["epochs"])
        entry["parameters"] = sum(p.data.size for p in model.parameters())
        accuracy, bits = scores(at_blanks(model), *exams())
        entry["accuracy"].append(accuracy)
        entry["bits"].append(bits)
        for word, some in by_troubles().items():
            entry[word].append(scores(at_blanks(model), *some)[0])
        print(name, seed, accuracy, flush=True)
    return entry


def next_word():
    """What the live figure needs: the grammar, and the first of the RNNs."""
    entry, kind = neural("RNN"), SETTINGS["models"]["RNN"]
    lr, epochs = entry["tuning"]["learning_rate"], kind["epochs"]
    return {
        "vocabulary": storybook.VOCABULARY,
        "places": storybook.PLACES,
        "reasons": storybook.REASONS,
        "frame": storybook.FRAMES[0],
        "phrases": storybook.PHRASES,
        "weights": quantize(train("RNN", kind["seeds"][0], lr, epochs).state_dict()),
    }


def lstm():
    """What the live figure of chapter 06 needs: the first of the LSTMs, and its first unit."""
    entry, kind = neural("LSTM"), SETTINGS["models"]["LSTM"]
    model = train("LSTM", kind["seeds"][0], entry["tuning"]["learning_rate"], kind["epochs"])
    weights = quantize(model.state_dict(), bits=8)
    model.load_state_dict(dequantize(weights))  # as the page has them
    gates = cells("06_lstm", "imports", "probe")
    unit = gates.holder(*gates.probe(model.rnn, model.embedding.weight.data))
    return {"vocabulary": storybook.VOCABULARY, "tuning": {"unit": unit + 1}, "weights": weights}


PARTS = {
    "exam": lambda: {"distance": [exam[0].distance for exam in exams()]},
    "ngrams": ngrams,
    "ngrams_ten_times_the_stories": partial(ngrams, times=10),
    **{name: partial(neural, name) for name in SETTINGS["models"]},
}

if __name__ == "__main__":
    run(__file__, SETTINGS, PARTS, {"next-word": next_word, "lstm": lstm})
