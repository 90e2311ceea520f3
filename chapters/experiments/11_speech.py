"""Chapter 11: voices never heard, people held out in two ways, a baseline, and torch beside it.

`voices` trains on synthetic voices and listens to others, and
to people; the first seed's weights are what the page listens with. `words` does the same with
whole words as labels. `window` is a network without
memory, tuned with the same care. `torch` trains the same network from the same weights in the same
batches. `people` trains on real speakers. Its test is always the same recordings, the first ten of
each digit and speaker: once other recordings by the same speaker are in training, once the speaker
is never heard. It reads the Free Spoken Digit Dataset, which has to be cloned into the folder that
RNNLIB_DATA names. About twenty minutes.
"""

import jiwer
import numpy as np
from record import EXPERIMENTS, cells, run

import rnnlib
from rnnlib.checkpoints import quantize
from rnnlib.data import speech
from rnnlib.data.download import find

SETTINGS = {
    "seeds": {
        "voices": [0, 1, 2],
        "words": [0],
        "window": [0, 1, 2],
        "torch": [0],
        "people": [0, 2],
    },
    "epochs": 20,
    "lr": 0.01,
    "window": {"tuning_seed": 9, "lr": [0.003, 0.01], "width": [11, 21]},
    "people": {
        "speakers": ["george", "jackson", "lucas", "nicolas", "theo", "yweweler"],
        "held_out": 10,
        "recordings": 50,
        "longest": 5,
        "pause": [400, 1600],
    },
}
ONCE = "trained once or twice for want of time: only wide gaps are read from it"
chapter = cells("11_speech", "imports", "listener", "window", "hear", "words", "twin")
spoken = speech.load(EXPERIMENTS / "voices.npz")


def rates(model, test, decode=speech.decode):
    """Share of words wrong, and of characters."""
    texts, heard = [one.text for one in test], chapter.heard(model, test, decode)
    return [round(rate(texts, heard), 4) for rate in (jiwer.wer, jiwer.cer)]


def rates_of_beam(model, test):
    """As `rates`, with the likeliest of the texts that a prefix beam of eight keeps."""
    texts, heard = [one.text for one in test], []
    for logits in chapter.scores_of(model, test):
        [found] = rnnlib.ctc_prefix_beam(logits[:, None], width=8)
        heard.append(speech.decode(found[0].tokens))
    return [round(rate(texts, heard), 4) for rate in (jiwer.wer, jiwer.cer)]


def people(speakers, takes, seed):
    """Strings of these recordings in an order that is drawn, each used once, joined with pauses."""
    rng, settings, strings = np.random.default_rng(seed), SETTINGS["people"], []
    folder = find("free-spoken-digit-dataset/recordings", fetch=False)
    for speaker in speakers:
        order = rng.permutation([(digit, take) for digit in range(10) for take in takes])
        while len(order):
            count = int(rng.integers(1, settings["longest"] + 1))
            chosen, order = order[:count], order[count:]
            parts = [np.zeros(settings["pause"][0])]
            for digit, take in chosen:
                wave = speech.read(folder / f"{digit}_{speaker}_{take}.wav")
                parts += [wave, np.zeros(rng.integers(*settings["pause"]))]
            text = " ".join(speech.WORDS[digit] for digit, _ in chosen)
            features = speech.features(np.concatenate(parts))
            strings.append(speech.Spoken(speaker, text, features))
    return strings


def people_held_out():
    settings = SETTINGS["people"]
    return people(settings["speakers"], range(settings["held_out"]), 0)


def voices():
    """Of three starts; the weights of the first."""
    entry = {
        "seeds": SETTINGS["seeds"]["voices"],
        "validation": [],
        "test": [],
        "beam": [],
        "people": [],
    }
    strangers = people_held_out()
    how = {name: SETTINGS[name] for name in ("epochs", "lr")}
    for seed in entry["seeds"]:
        model, _ = chapter.train(spoken["training"], seed, **how)
        if seed == entry["seeds"][0]:
            weights = model.state_dict()
        for part in ("validation", "test"):
            entry[part].append(rates(model, spoken[part]))
        entry["beam"].append(rates_of_beam(model, spoken["test"]))
        entry["people"].append(rates(model, strangers))
        print(seed, {name: entry[name][-1] for name in list(entry)[1:]}, flush=True)
    return entry | {"weights": quantize(weights)}


def twins():
    """The same starts and batches in torch, read by rnnlib."""
    entry = {"once": ONCE, "seeds": SETTINGS["seeds"]["torch"], "test": []}
    how = {name: SETTINGS[name] for name in ("epochs", "lr")}
    for seed in entry["seeds"]:
        twin, _ = chapter.train_twin(spoken["training"], seed, **how)
        model = chapter.Listener(seed)
        model.load_state_dict({name: w.numpy() for name, w in twin.state_dict().items()})
        entry["test"].append(rates(model, spoken["test"]))
        print(seed, entry["test"][-1], flush=True)
    return entry


def speakers():
    """Of each speaker's held-out recordings, the speaker heard otherwise or never."""
    settings, seeds = SETTINGS["people"], SETTINGS["seeds"]["people"]
    names, held_out = settings["speakers"], settings["held_out"]
    others = range(held_out, settings["recordings"])
    how = {name: SETTINGS[name] for name in ("epochs", "lr")}
    test = people_held_out()
    entry = {"once": ONCE, "seeds": seeds, "words": 10 * held_out, "heard": [], "never": []}
    of = {name: [one for one in test if one.voice == name] for name in names}
    for seed in seeds:
        training = people(names, others, [seed, 1])
        model, _ = chapter.train(training, seed, **how)
        entry["heard"].append([rates(model, of[name])[0] for name in names])
        print(seed, entry["heard"][-1], flush=True)
        never = []
        for name in names:
            rest = [one for one in training if one.voice != name]
            model, _ = chapter.train(rest, seed, **how)
            never.append(rates(model, of[name])[0])
            print(seed, "without", name, never[-1], flush=True)
        entry["never"].append(never)
    return entry


def words():
    """Whole words as labels, and for how many frames each is the likeliest."""
    entry = {"once": ONCE, "seeds": SETTINGS["seeds"]["words"]}
    entry |= {"test": [], "people": [], "peaks": []}
    strangers, how = people_held_out(), {name: SETTINGS[name] for name in ("epochs", "lr")}
    for seed in entry["seeds"]:
        model = chapter.Listener(seed, K=1 + len(speech.WORDS))
        how |= {"model": model, "encode": chapter.word_labels}
        chapter.train(spoken["training"], seed, **how)
        entry["test"].append(rates(model, spoken["test"], chapter.as_words))
        entry["people"].append(rates(model, strangers, chapter.as_words))
        entry["peaks"].append([round(x, 4) for x in chapter.peaks(model, spoken["test"])])
        print(seed, {name: found[-1] for name, found in entry.items() if found}, flush=True)
    return entry


def window():
    """The baseline, its learning rate and width chosen with a seed of their own."""
    settings, tried = SETTINGS["window"], {}
    for width in settings["width"]:
        for lr in settings["lr"]:
            model = chapter.Window(settings["tuning_seed"], width)
            how = {"epochs": SETTINGS["epochs"], "lr": lr, "model": model}
            chapter.train(spoken["training"], settings["tuning_seed"], **how)
            tried[f"{width}, {lr}"] = rates(model, spoken["validation"])
            print(width, lr, tried[f"{width}, {lr}"], flush=True)
    best = min(tried, key=lambda name: tried[name][0])
    width, lr = best.split(", ")
    entry = {
        "seeds": SETTINGS["seeds"]["window"],
        "tuning": {"tried": tried, "best": best},
        "test": [],
    }
    for seed in entry["seeds"]:
        model = chapter.Window(seed, int(width))
        how = {"epochs": SETTINGS["epochs"], "lr": float(lr), "model": model}
        chapter.train(spoken["training"], seed, **how)
        entry["test"].append(rates(model, spoken["test"]))
        print(seed, entry["test"][-1], flush=True)
    return entry


if __name__ == "__main__":
    parts = {"voices": voices, "words": words, "window": window, "torch": twins}
    run(__file__, SETTINGS, parts | {"people": speakers})
