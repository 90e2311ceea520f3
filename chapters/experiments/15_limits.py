"""Chapter 15: at which delay the networks stop copying, and who learns the parity of bits.

`copying` trains RNN, LSTM and GRU to copy three symbols of four kinds after delays from 10 to
200, at equal budget, and up to the first delay at which none of three seeds succeeds; the learning
rate of each is looked for at the shortest delay, with another seed. `further` gives the LSTM three
times the updates, or a forget gate that begins further open. `parity` trains RNN, LSTM and
minGRU on the parity of bits in three ways: only the answer at the end counts, at the full length or
at growing lengths; or every step's answer counts, at the full length. About four minutes on a
machine that has nothing else to do.
"""

import numpy as np
from record import cells, run

SETTINGS = {
    "copying": {
        "delays": [10, 30, 100, 200],
        "updates": 1000,
        "hidden": 64,
        "seeds": [0, 1, 2],
        "tuning_delay": 10,
        "tuning_seed": 9,
        "learning_rates": [0.003, 0.01],
    },
    "further": {
        "delay": 30,
        "seeds": [0, 1, 2],
        "learning_rate": 0.003,
        "tries": [{"keep": 1, "updates": 3000}, {"keep": 3, "updates": 1000}],
    },
    "parity": {
        "longest": 16,
        "tested": 1000,
        "updates": 1500,
        "hidden": 32,
        "seeds": [0, 1, 2, 3],
        "learning_rate": 0.003,
    },
}
chapter = cells("15_limits", "imports", "copying", "reader", "parity-task")


def copied(kind, delay, lr, seed, updates=SETTINGS["copying"]["updates"], keep=1):
    """The share of right symbols at the end, and the updates until 99 of 100 were right."""
    model = chapter.Reader(kind, 6, SETTINGS["copying"]["hidden"], 5, seed, keep)

    def draw(N, rng):
        return chapter.copying(delay, N, rng)

    shares = chapter.train(model, draw, 3, lr, seed, updates)
    solved = 50 * len(shares) if shares[-1] > 0.99 else None
    print(kind, delay, lr, seed, solved, round(shares[-1], 3), flush=True)
    return {"right": round(shares[-1], 3), "updates": solved}


def copying():
    settings, found = SETTINGS["copying"], []
    for kind in ("RNN", "LSTM", "GRU"):
        tried = {
            lr: copied(kind, settings["tuning_delay"], lr, settings["tuning_seed"])
            for lr in settings["learning_rates"]
        }
        lr = min(tried, key=lambda lr: (tried[lr]["updates"] or np.inf, -tried[lr]["right"]))
        for delay in settings["delays"]:
            runs = [copied(kind, delay, lr, seed) for seed in settings["seeds"]]
            found.append(
                {"kind": kind, "delay": delay, "seeds": settings["seeds"]}
                | {"tuning": {"lr": lr, "tried": tried}}
                | {key: [one[key] for one in runs] for key in runs[0]}
            )
            if not any(found[-1]["updates"]):
                break  # who has failed with every seed is not asked to remember longer
    return found


def further():
    """The LSTM once more at the first delay at which it has failed."""
    settings, found = SETTINGS["further"], []
    for one in settings["tries"]:
        lr, delay = settings["learning_rate"], settings["delay"]
        runs = [copied("LSTM", delay, lr, seed, **one) for seed in settings["seeds"]]
        found.append(
            {"keep": one["keep"], "budget": one["updates"], "seeds": settings["seeds"]}
            | {key: [run[key] for run in runs] for key in runs[0]}
        )
    return found


def parity_run(kind, way, seed):
    """The updates, and up to which step the answers are right."""
    settings = SETTINGS["parity"]
    model = chapter.Reader(kind, 2, settings["hidden"], 2, seed)
    longest = settings["longest"]
    lengths = range(1 if way == "growing" else longest, longest + 1)
    every = way == "every step"
    updates = chapter.grow(
        model, lengths, settings["learning_rate"], seed, settings["updates"], every
    )
    reached = chapter.reach(model, settings["tested"])
    print(kind, way, seed, updates, reached, flush=True)
    return {"updates": updates, "reach": reached}


def parity():
    settings, found = SETTINGS["parity"], []
    for way in ("growing", "every step", "full length"):
        for kind in ("RNN", "LSTM", "MinGRU"):
            runs = [parity_run(kind, way, seed) for seed in settings["seeds"]]
            found.append(
                {"kind": kind, "way": way, "seeds": settings["seeds"]}
                | {key: [one[key] for one in runs] for key in runs[0]}
            )
    return found


if __name__ == "__main__":
    run(__file__, SETTINGS, {"copying": copying, "further": further, "parity": parity})
