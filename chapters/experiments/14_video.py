"""Chapter 14: who can tell an activity from its reverse, and what an encoder gives away.

Each model is trained with three seeds on the same clips and tested on 2,000 others, the learning
rate looked for with a seed of its own, at equal cost. `leak` trains the bag of frames on clips
from which the first frame was subtracted, and on clips that x264 has encoded as it does for
anybody, in its usual quality and in a poor one. `media` writes the clips that the page plays, and
their first pictures. The weights of the GRU's first seed are those of the live figure. About half
an hour.
"""

import base64
import sys
from functools import cache, partial

import numpy as np
from PIL import Image
from record import EXPERIMENTS, cells, run

import rnnlib
from rnnlib.checkpoints import quantize
from rnnlib.data import mp4, video
from rnnlib.training import EarlyStopping

SETTINGS = {
    "tuning_seed": 9,
    "seeds": [0, 1, 2],
    "lr": [0.003, 0.006],
    "tuning_epochs": 12,
    "epochs": 24,
    "patience": 8,
    "clips": {"training": 960, "validation": 400, "test": 2000},
    "crf": {"usual": 23, "strong": 38},
}
chapter = cells("14_video", "imports", "activities-run", "file", "eye", "networks", "without-wall")
RECURRENT = {"tanh": rnnlib.RNN, "LSTM": rnnlib.LSTM, "GRU": rnnlib.GRU}


@cache
def clips(part, crf=None):
    """Clips and labels; with crf as x264 encodes them for anybody, else each frame alone."""
    seed = list(SETTINGS["clips"]).index(part)
    return video.clips(SETTINGS["clips"][part], seed, crf is None, crf or 0)


def model_of(kind, seed):
    if kind in RECURRENT:
        return chapter.Watcher(RECURRENT[kind], seed=seed)
    return chapter.Bag(seed=seed, C=2 if kind == "pairs" else 1)


def look_of(kind):
    return {"pairs": chapter.neighbours, "first": chapter.without_wall}.get(kind, mp4.pixels)


def right(model, frames, labels, kind):
    found = chapter.scores(model, frames, look_of(kind)).argmax(axis=1)
    return float((found == labels).mean())


def train(kind, lr, seed, epochs, crf=None):
    """The network with its best share of validation clips, and that share."""
    model, stopping = model_of(kind, seed), EarlyStopping("right", SETTINGS["patience"], max)
    rnnlib.fit(
        model,
        chapter.batches(*clips("training", crf), seed=seed, look=look_of(kind)),
        rnnlib.Adam(model.parameters(), lr=lr),
        clip_norm=1.0,
        epochs=epochs,
        evaluate=lambda: {"right": right(model, *clips("validation", crf), kind)},
        early_stopping=stopping,
        progress=False,
    )
    print(kind, lr, seed, crf, round(stopping.best, 3), flush=True)
    return model, stopping.best


@cache
def chosen(kind):
    """The learning rate, and all that was tried."""
    how = SETTINGS["tuning_seed"], SETTINGS["tuning_epochs"]
    tried = [[lr, train(kind, lr, *how)[1]] for lr in SETTINGS["lr"]]
    return {"lr": max(tried, key=lambda one: one[1])[0], "tried": tried}


@cache
def trained(kind, seed):
    return train(kind, chosen(kind)["lr"], seed, SETTINGS["epochs"])[0]


def confusion(model, kind):
    """(K, K): how often each class in the rows got each answer, as shares of its clips."""
    frames, labels = clips("test")
    found = chapter.scores(model, frames, look_of(kind)).argmax(axis=1)
    counts = np.zeros((chapter.K, chapter.K))
    np.add.at(counts, (labels, found), 1)
    return counts / counts.sum(axis=1, keepdims=True)


def entry(kind):
    models = [trained(kind, seed) for seed in SETTINGS["seeds"]]
    frames, labels = clips("test")
    return {
        "tuning": chosen(kind),
        "seeds": SETTINGS["seeds"],
        "parameters": sum(p.data.size for p in models[0].parameters()),
        "test": [right(model, frames, labels, kind) for model in models],
        "confusion": [confusion(model, kind) for model in models],
    }


def gru():
    """Besides, what it makes of shuffled and of reversed frames, which it has not learned from."""
    found = entry("GRU")
    frames, labels = clips("test")
    rng = np.random.default_rng(0)
    shuffled = [one[rng.permutation(len(one))] for one in frames]
    backwards = [one[::-1] for one in frames]
    models = [trained("GRU", seed) for seed in SETTINGS["seeds"]]
    for name, some, truth in (
        ("shuffled", shuffled, labels),
        ("reversed", backwards, video.REVERSED[labels]),
    ):
        found[name] = [right(model, some, truth, "GRU") for model in models]
    return found


def leak():
    """The bag of frames, with the learning rate found for it, where it may see too much."""
    found = {"seeds": SETTINGS["seeds"]}
    ways = {"first": ("first", None)}
    ways |= {name: ("bag", crf) for name, crf in SETTINGS["crf"].items()}
    for name, (kind, crf) in ways.items():
        found[name] = []
        for seed in SETTINGS["seeds"]:
            model, _ = train(kind, chosen("bag")["lr"], seed, SETTINGS["epochs"], crf)
            found[name].append(right(model, *clips("test", crf), kind))
    return found


def media():
    """The clips of the page, large, the first picture of each, and how many frames it has."""
    drawn = {}
    for name, kind in {"sit": "sit down", "circle": "circle right", "wave": "wave"}.items():
        drawn[name] = video.render(chapter.NAMES.index(kind), 3, size=192)
    drawn["stand"] = drawn["sit"][::-1]
    if "--check" not in sys.argv:
        for name, frames in drawn.items():
            path = EXPERIMENTS.parent / "media" / f"14_video-{name}.mp4"
            mp4.encode(frames, str(path), intra=False, crf=27)
            # a video's black is 16 and its white 235, a picture's 0 and 255
            first = np.interp(frames[0], [16, 235], [0, 255]).astype(np.uint8)
            Image.fromarray(first).save(path.with_suffix(".jpg"), quality=60, optimize=True)
    return {name: len(frames) for name, frames in drawn.items()}


def figure():
    """What the live figure needs: the network in 8 bits a weight, clips in 4 bits a pixel."""
    state = trained("GRU", 0).state_dict()
    some = []
    for frames, label in zip(*(part[: chapter.K] for part in clips("test")), strict=True):
        levels = np.round((frames - 16.0) / 14.6).astype(np.uint8).reshape(-1, 2)  # 0 … 15
        packed = base64.b64encode((levels[:, 0] << 4 | levels[:, 1]).tobytes()).decode()
        some.append({"activity": int(label), "T": len(frames), "int8": packed})
    flat = {name: a.reshape(len(a), -1) if a.ndim > 2 else a for name, a in state.items()}
    return {
        "names": video.ACTIVITIES,
        "reversed": video.REVERSED,
        "clips": some,
        "weights": quantize(flat, bits=8),
    }


PARTS = {kind: partial(entry, kind) for kind in ("bag", "pairs", "tanh", "LSTM")}
PARTS |= {"GRU": gru, "leak": leak, "media": media}

if __name__ == "__main__":
    run(__file__, SETTINGS, PARTS, {"video": figure})
