"""Chapter 01, the long runs: who still knows the reason, over the distance?

n-grams of orders 1 to 16, feed-forward nets with a window, plain RNNs (rnnlib) and
LSTMs (torch; rnnlib's own comes in chapter 06) learn the same 16,000 stories and
answer the same exam. Writes 01_storybook.json beside this file, and the weights of
the first RNN to theme/figures/next-word.json, which the live figure plays.

    python chapters/experiments/01_storybook.py             everything
    python chapters/experiments/01_storybook.py RNN LSTM    these parts again, the rest kept
"""

from __future__ import annotations

import base64
import json
import platform
import sys
from pathlib import Path

import numpy as np
import torch

import rnnlib
from rnnlib import RNN, Adam, Embedding, Linear, Module, fit, softmax
from rnnlib.data import storybook
from rnnlib.ngrams import NGram

HERE = Path(__file__).resolve().parent
RESULT = HERE / "01_storybook.json"
FIGURE = HERE.parents[1] / "theme" / "figures" / "next-word.json"
V = len(storybook.VOCABULARY)
FILLER_WORDS = [0, 1, 2, 3, 4, 6, 8, 10, 13, 16, 20, 25, 30, 36]
SETTINGS = {
    "stories": 16000,
    "stories_seed": 0,
    "validation_stories": 2000,
    "validation_seed": 1,
    "fillers_per_distance": 60,
    "exam_seed": 2,
    "batch_size": 32,
    "embedding": 32,
    "clip_norm": 1.0,
    "orders": list(range(1, 17)),
    "strengths": [0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0],
    "learning_rates": [0.002, 0.004, 0.008],
    "last_quarter": "of the epochs at an eighth of the learning rate",
    "models": {
        "RNN": {"hidden": 64, "epochs": 24, "seeds": [0, 1, 2, 3, 4]},
        "LSTM": {"hidden": 64, "epochs": 12, "seeds": [0, 1, 2, 3, 4]},
        "window of 12": {"hidden": 128, "epochs": 8, "seeds": [0, 1, 2], "width": 12},
        "one word": {"hidden": 128, "epochs": 8, "seeds": [0, 1, 2], "width": 1},
        "RNN, 128 units": {"hidden": 128, "epochs": 24, "seeds": [0, 1, 2]},
    },
    "troubles_filler_words": [6, 8, 10, 16],
    "fillers_with_and_without_troubles": 40,
}


class NextWord(Module):
    """Scores for the next word: embedding, RNN, linear layer."""

    def __init__(self, V, I, H, seed):
        rng = np.random.default_rng(seed)
        self.embedding = Embedding(V, I, seed=rng, dtype=np.float32)
        self.rnn = RNN(I, H, seed=rng, dtype=np.float32)
        self.linear = Linear(H, V, seed=rng, dtype=np.float32)

    def forward(self, x):  # x (T, B): words
        h, _ = self.rnn(self.embedding(x))  # h (T, B, H): the summaries
        return self.linear(h)  # (T, B, V): the scores

    def backward(self, dlogits):
        dx, _ = self.rnn.backward(self.linear.backward(dlogits))
        self.embedding.backward(dx)


class Window(Module):
    """Scores for the next word from the last `width` words alone."""

    def __init__(self, V, I, H, seed, width):
        rng = np.random.default_rng(seed)
        self.width = width
        self.embedding = Embedding(V, I, seed=rng, dtype=np.float32)
        self.hidden = Linear(width * I, H, seed=rng, dtype=np.float32)
        self.linear = Linear(H, V, seed=rng, dtype=np.float32)

    def forward(self, x):  # x (T, B)
        T, B = x.shape
        before = np.full((self.width - 1, B), storybook.START)
        words = np.concatenate([before, x])
        windows = np.stack([words[k : k + T] for k in range(self.width)], axis=-1)
        h = np.tanh(self.hidden(self.embedding(windows).reshape(T, B, -1)))
        self.remember((h, windows.shape))
        return self.linear(h)

    def backward(self, dlogits):
        h, shape = self.recall()
        dh = self.linear.backward(dlogits)
        de = self.hidden.backward(dh * rnnlib.tanh_grad(h))
        self.embedding.backward(de.reshape(*shape, -1))


class TorchLSTM(torch.nn.Module):
    """The same three layers with torch's LSTM in the middle."""

    def __init__(self, V, I, H, seed):
        super().__init__()
        torch.manual_seed(seed)
        self.embedding = torch.nn.Embedding(V, I)
        self.lstm = torch.nn.LSTM(I, H)
        self.linear = torch.nn.Linear(H, V)

    def forward(self, x):
        return self.linear(self.lstm(self.embedding(x))[0])


def train(name, seed, lr, epochs, told):
    """A model of this name, trained; what it returns maps words (T, N) to scores (T, N, V)."""
    kind = SETTINGS["models"][name]
    I, H = SETTINGS["embedding"], kind["hidden"]
    batches = storybook.ByLength(told, SETTINGS["batch_size"], seed)
    quarters = [(lr, epochs - epochs // 4), (lr / 8, epochs // 4)]
    if name == "LSTM":
        model = TorchLSTM(V, I, H, seed)
        optimizer = torch.optim.Adam(model.parameters())
        for optimizer.param_groups[0]["lr"], some in quarters:
            for _ in range(some):
                for x, y in batches:
                    scores = model(torch.from_numpy(x)).flatten(0, 1)
                    optimizer.zero_grad()
                    torch.nn.functional.cross_entropy(
                        scores, torch.from_numpy(y).flatten()
                    ).backward()
                    torch.nn.utils.clip_grad_norm_(model.parameters(), SETTINGS["clip_norm"])
                    optimizer.step()

        def predict(x):
            with torch.no_grad():
                return model(torch.from_numpy(x)).numpy()

        return model, predict
    model = Window(V, I, H, seed, kind["width"]) if "width" in kind else NextWord(V, I, H, seed)
    optimizer = Adam(model.parameters(), lr=lr)
    for optimizer.lr, some in quarters:
        fit(model, batches, optimizer, epochs=some, clip_norm=SETTINGS["clip_norm"])
    return model.eval(), model


def at_blanks(predict, told):
    """(N, V) probabilities of each story's last word."""
    x, y = storybook.encode(told)
    scores = predict(x)[storybook.blanks(y), np.arange(len(told))]
    return softmax(scores.astype(np.float64))


def contexts(told):
    """(T, N) words before each story's last, flush with the end."""
    T = max(len(one.words) for one in told) - 1
    context = np.full((T, len(told)), storybook.START)
    for n, one in enumerate(told):
        context[T - len(one.words) + 1 :, n] = [storybook.INDEX[word] for word in one.words[:-1]]
    return context


def scores(probabilities, told):
    """Accuracy and bits, rounded for the file."""
    return [round(number, 4) for number in storybook.score(probabilities, [o.reason for o in told])]


def ngrams(told, validation, exams, strengths=None):
    """Scores of all orders over the distance, each with the strength that validation prefers."""
    _, y = storybook.encode(told)
    result = {"strength": [], "accuracy": [], "bits": [], "seen": []}
    for k, order in enumerate(SETTINGS["orders"]):
        model = NGram(order, V).fit(y)

        def validation_bits(strength, model=model):
            model.strength = strength
            return scores(model.predict(contexts(validation)), validation)[1]

        model.strength = (
            strengths[k] if strengths else min(SETTINGS["strengths"], key=validation_bits)
        )
        each = [scores(model.predict(contexts(exam)), exam) for exam in exams]
        result["strength"].append(model.strength)
        result["accuracy"].append([accuracy for accuracy, _ in each])
        result["bits"].append([bits for _, bits in each])
        result["seen"].append([round(float(model.seen(contexts(e)).mean()), 4) for e in exams])
    return result


def by_troubles():
    """Exams without and with other people's troubles in the filler, for each of some lengths."""
    count = SETTINGS["fillers_with_and_without_troubles"]
    exams = {"quiet": [], "troubled": []}
    for filler in SETTINGS["troubles_filler_words"]:
        rng = np.random.default_rng([SETTINGS["exam_seed"], filler, 1])
        found = {"quiet": [], "troubled": []}
        while min(map(len, found.values())) < count:
            exam = storybook.exam(filler, 1, rng)
            found["troubled" if "says" in exam[0].words else "quiet"].append(exam)
        for kind, each in found.items():
            exams[kind].append([one for exam in each[:count] for one in exam])
    return exams


def pack(model):
    """Parameters as 16-bit whole numbers times one scale each: what a page can carry."""
    packed = {}
    for name, array in model.state_dict().items():
        scale = float(np.float32(abs(array).max() / 32767))
        whole = np.round(array / scale).astype("<i2")
        text = base64.b64encode(whole.tobytes()).decode()
        packed[name] = {"shape": list(array.shape), "scale": scale, "int16": text}
    return packed


def write(path, content):
    """JSON with one entry a line, numbers of a list on one line."""
    lines = [f" {json.dumps(key)}: {json.dumps(value)}" for key, value in content.items()]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def neural(name, told, validation, exams, troubles):
    """A model's scores over the distance, for every seed, at its own best learning rate."""
    kind = SETTINGS["models"][name]
    tuning = {}
    for lr in SETTINGS["learning_rates"]:
        _, predict = train(name, kind["seeds"][0], lr, kind["epochs"] // 2, told)
        tuning[lr] = scores(at_blanks(predict, validation), validation)[1]
    lr = min(tuning, key=tuning.get)
    print(f"{name}: bits in validation by learning rate {tuning}", flush=True)
    entry = {"validation_bits": tuning, "learning_rate": lr, "seeds": kind["seeds"]}
    entry |= {"parameters": 0, "accuracy": [], "bits": [], "quiet": [], "troubled": []}
    for seed in kind["seeds"]:
        model, predict = train(name, seed, lr, kind["epochs"], told)
        each = [scores(at_blanks(predict, exam), exam) for exam in exams]
        entry["parameters"] = sum(int(np.prod(p.shape)) for p in model.parameters())
        entry["accuracy"].append([accuracy for accuracy, _ in each])
        entry["bits"].append([bits for _, bits in each])
        for word in troubles:
            each = [scores(at_blanks(predict, exam), exam) for exam in troubles[word]]
            entry[word].append([accuracy for accuracy, _ in each])
        print(name, seed, entry["accuracy"][-1], flush=True)
        if name == "RNN" and seed == kind["seeds"][0]:
            figure = {
                "made_by": "chapters/experiments/01_storybook.py",
                "vocabulary": storybook.VOCABULARY,
                "places": storybook.PLACES,
                "reasons": storybook.REASONS,
                "frame": storybook.FRAMES[0],
                "phrases": storybook.PHRASES,
                "weights": pack(model),
            }
            write(FIGURE, figure)
    return entry


def main():
    parts = sys.argv[1:] or ["ngrams", *SETTINGS["models"]]
    unknown = set(parts) - {"ngrams", *SETTINGS["models"]}
    if unknown:
        sys.exit(f"No part is named {', '.join(unknown)}: ngrams, {', '.join(SETTINGS['models'])}.")
    torch.set_num_threads(1)
    told = storybook.stories(SETTINGS["stories"], SETTINGS["stories_seed"])
    validation = storybook.stories(SETTINGS["validation_stories"], SETTINGS["validation_seed"])
    exams = [
        storybook.exam(filler, SETTINGS["fillers_per_distance"], [SETTINGS["exam_seed"], filler])
        for filler in FILLER_WORDS
    ]
    kept = json.loads(RESULT.read_text()) if sys.argv[1:] and RESULT.exists() else {}
    result = {
        "made_by": "chapters/experiments/01_storybook.py",
        "versions": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "torch": torch.__version__.split("+")[0],
            "rnnlib": rnnlib.__version__,
        },
        "settings": SETTINGS,
        "updates_per_epoch": SETTINGS["stories"] // SETTINGS["batch_size"],
        "filler_words": FILLER_WORDS,
        "distance": [exam[0].distance for exam in exams],
        "best": dict(zip(["accuracy", "bits"], storybook.best_score(), strict=True)),
        "memoryless": dict(zip(["accuracy", "bits"], storybook.memoryless_score(), strict=True)),
        "ngrams": kept.get("ngrams", {}),
        "ngrams_ten_times_the_stories": kept.get("ngrams_ten_times_the_stories", {}),
        "models": kept.get("models", {}),
    }
    troubles = by_troubles()
    for name in parts:
        if name == "ngrams":
            ten_times = storybook.stories(10 * SETTINGS["stories"], SETTINGS["stories_seed"])
            result["ngrams"] = ngrams(told, validation, exams)
            result["ngrams_ten_times_the_stories"] = ngrams(
                ten_times, validation, exams, result["ngrams"]["strength"]
            )
        else:
            result["models"][name] = neural(name, told, validation, exams, troubles)
        write(RESULT, result)


if __name__ == "__main__":
    main()
