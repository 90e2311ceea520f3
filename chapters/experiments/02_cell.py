"""Chapter 02: is the light on? The search behind the chapter's short run.

Every size and learning rate, for the recurrent and for the feed-forward network, at two amounts
of training data and five starts. The best of each kind is chosen by the validation sequences;
the test sequences are looked at once, for all. About a minute.
"""

import numpy as np
from record import cells, run

SETTINGS = {
    "T": 20,
    "T_long": 200,
    "examples": [100, 1000],
    "seeds": [0, 1, 2, 3, 4],
    "learning_rates": [0.005, 0.02, 0.05],
    "hidden_sizes": {"recurrent": [1, 2], "feed-forward": [4, 16, 64]},
}
chapter = cells("02_cell", "imports", "learn-task", "learn-train")


def percent(models, x, lit):
    """Share of sequences answered rightly, for each model."""
    return [round(100 * float(chapter.right(model, x, lit)), 1) for model in models]


def runs():
    # the chapter draws the same sequences, from the same generator and in this order
    rng, T = np.random.default_rng(0), SETTINGS["T"]
    data = {N: chapter.light_switch(T, N, rng) for N in SETTINGS["examples"]}
    test, long, validation = (
        chapter.light_switch(steps, 2000, rng) for steps in (T, SETTINGS["T_long"], T)
    )
    kinds = {"recurrent": chapter.Reader, "feed-forward": chapter.Window}
    for N in SETTINGS["examples"]:
        for kind, build in kinds.items():
            for hidden_size in SETTINGS["hidden_sizes"][kind]:
                for lr in SETTINGS["learning_rates"]:
                    models = [
                        chapter.train(build, hidden_size, lr, *data[N], seed)
                        for seed in SETTINGS["seeds"]
                    ]
                    entry = {"examples": N, "kind": kind, "hidden_size": hidden_size, "lr": lr}
                    entry |= {"seeds": SETTINGS["seeds"]}
                    entry["validation"] = percent(models, *validation)
                    entry["test"] = percent(models, *test)
                    if kind == "recurrent":
                        entry["test_long"] = percent(models, *long)
                    if kind == "recurrent" and hidden_size == 1:
                        entry["w_h"] = [round(float(model.rnn.W_h[0, 0]), 2) for model in models]
                    yield entry


if __name__ == "__main__":
    run(__file__, SETTINGS, {"runs": lambda: list(runs())})
