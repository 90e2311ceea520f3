"""Chapter 02: is the light on? The search behind the chapter's short run.

Every size and learning rate, for the recurrent and for the feed-forward network,
at two amounts of training data and five starts. The best of each kind is chosen by
the validation sequences; the test sequences are looked at once, for all.

    python chapters/experiments/02_cell.py    # about a minute, writes 02_cell.json
"""

from __future__ import annotations

import json
import platform
from pathlib import Path

import numpy as np

import rnnlib

T, T_LONG = 20, 200
EXAMPLES = (100, 1000)
BATCH_SIZE, UPDATES = 50, 1000
STARTS = range(5)
LEARNING_RATES = (0.005, 0.02, 0.05)
HIDDEN = {"recurrent": (1, 2), "feed-forward": (4, 16, 64)}


def light_switch(T, N, rng, p=0.1):
    """N sequences of T events (0 nothing, 1 on, 2 off), and whether the light is on."""
    events = rng.choice(3, size=(T, N), p=[1 - p, p / 2, p / 2])
    lit = np.zeros(N, dtype=int)
    for event in events:
        lit = np.where(event == 0, lit, event == 1)
    return np.eye(3)[events], lit


class Reader(rnnlib.Module):
    """Many to one: an RNN reads all, a linear layer looks at its last state."""

    def __init__(self, hidden_size, seed):
        rng = np.random.default_rng(seed)
        self.rnn = rnnlib.RNN(3, hidden_size, seed=rng)
        self.output = rnnlib.Linear(hidden_size, 2, seed=rng)

    def forward(self, x):
        self.h, _ = self.rnn(x)
        return self.output(self.h[-1])

    def backward(self, dlogits):
        dh = np.zeros(self.h.shape)
        dh[-1] = self.output.backward(dlogits)
        self.rnn.backward(dh)


class Window(rnnlib.Module):
    """Feed-forward: all steps at once, each position with weights of its own."""

    def __init__(self, hidden_size, seed):
        rng = np.random.default_rng(seed)
        self.hidden = rnnlib.Linear(T * 3, hidden_size, seed=rng)
        self.output = rnnlib.Linear(hidden_size, 2, seed=rng)

    def forward(self, x):
        rows = x.swapaxes(0, 1).reshape(x.shape[1], -1)
        self.h = rnnlib.tanh(self.hidden(rows))
        return self.output(self.h)

    def backward(self, dlogits):
        dh = self.output.backward(dlogits)
        self.hidden.backward(dh * rnnlib.tanh_grad(self.h))


def accuracy(model, x, lit):
    """Share of sequences answered rightly, as a percentage."""
    return round(100 * float((model(x).argmax(axis=1) == lit).mean()), 1)


def main():
    """Run the search and write the file."""
    # the chapter draws the same sequences, from the same generator and in this order
    rng = np.random.default_rng(0)
    train = {N: light_switch(T, N, rng) for N in EXAMPLES}
    test, long = light_switch(T, 2000, rng), light_switch(T_LONG, 2000, rng)
    validation = light_switch(T, 2000, rng)

    runs = []
    for N in EXAMPLES:
        for kind, build in (("recurrent", Reader), ("feed-forward", Window)):
            for hidden_size in HIDDEN[kind]:
                for lr in LEARNING_RATES:
                    models = []
                    for seed in STARTS:
                        model = build(hidden_size, seed)
                        batches = rnnlib.Batches(*train[N], BATCH_SIZE, axes=(1, 0), seed=seed)
                        optimizer = rnnlib.Adam(model.parameters(), lr=lr)
                        epochs = UPDATES // len(batches)
                        rnnlib.fit(
                            model, batches, optimizer, epochs=epochs, clip_norm=1.0, progress=False
                        )
                        models.append(model)
                    run = {
                        "examples": N,
                        "kind": kind,
                        "hidden_size": hidden_size,
                        "lr": lr,
                        "validation": [accuracy(model, *validation) for model in models],
                        "test": [accuracy(model, *test) for model in models],
                    }
                    if kind == "recurrent":
                        run["test_long"] = [accuracy(model, *long) for model in models]
                    if kind == "recurrent" and hidden_size == 1:
                        run["w_h"] = [round(float(model.rnn.W_h[0, 0]), 2) for model in models]
                    runs.append(run)

    result = {
        "settings": {
            "T": T,
            "T_long": T_LONG,
            "batch_size": BATCH_SIZE,
            "updates": UPDATES,
            "clip_norm": 1.0,
            "starts": list(STARTS),
        },
        "versions": {"python": platform.python_version(), "numpy": np.__version__},
        "runs": runs,
    }
    path = Path(__file__).with_suffix(".json")
    path.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
