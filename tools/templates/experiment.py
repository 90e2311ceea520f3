"""Chapter @number@, FILL IN: what is varied, and what it answers. FILL IN: how long it takes."""

import numpy as np
from record import cells, run

SETTINGS = {
    "seeds": [0, 1, 2],
    "hidden_sizes": [4, 16],
    "learning_rates": [0.005, 0.02],
}
chapter = cells("@slug@", "imports", "data", "model")


def search():
    """One entry for each setting, its lists over the seeds."""
    rng = np.random.default_rng(0)
    data = [chapter.task(20, N, rng) for N in (100, 1000, 1000)]  # train, validation, test
    entry = {"hidden_size": 4, "seeds": SETTINGS["seeds"], "validation": [], "test": []}
    raise NotImplementedError(f"FILL IN: {entry} for each setting, from {data}")


if __name__ == "__main__":
    run(__file__, SETTINGS, {"search": search})
