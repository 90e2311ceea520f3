"""How fast is rnnlib? Ratios against torch on one thread, in one run on this machine.

Training is forward and backward, inference is forward in evaluation; all in float32.
Beside the layers stand the two ends between which they must lie: the floor (the same
matrix products in NumPy and nothing else) and the textbook loop over `cells`.

    python tools/benchmarks/speed.py           everything, twice: with the kernels that NumPy's
                                         OpenBLAS chooses, and with those for AVX-512
    python tools/benchmarks/speed.py --quick   three repetitions of everything, nothing written

Writes chapters/experiments/speed.json, which the page "Speed" of the site shows.
"""

from __future__ import annotations

import argparse
import gc
import json
import math
import os
import platform
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RESULT = ROOT / "chapters/experiments/speed.json"
LAYERS = ("RNN", "GRU", "LSTM")
SIZES = [  # T, B, I, H
    (50, 32, 64, 128),
    (100, 64, 128, 256),
    (1000, 16, 32, 128),
    (35, 20, 650, 650),
    (200, 1, 32, 64),
]
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
Function = Callable[[], object]


def best(functions: dict[str, Function], seconds: float) -> dict[str, float]:
    """The shortest time of each, taken in turns, so that a slow moment strikes all alike."""
    times = dict.fromkeys(functions, float("inf"))
    start, rounds = time.perf_counter(), 0
    while rounds < 4 or time.perf_counter() - start < seconds:
        for name, function in functions.items():
            before = time.perf_counter()
            function()
            if rounds:  # the first round warms up
                times[name] = min(times[name], time.perf_counter() - before)
        rounds += 1
    return times


def floor(name: str, T: int, B: int, I: int, H: int, train: bool) -> Function:
    """The matrix products of a layer, arranged as in `kernels`, and nothing else."""
    import numpy as np

    BLOCK = max(16, 256 // B)
    G = {"RNN": 1, "LSTM": 4, "GRU": 3}[name]
    rng = np.random.default_rng(0)

    def draw(*shape: int) -> np.ndarray:
        return rng.standard_normal(shape, dtype=np.float32)

    x, h, dz = draw(T * B, I), draw(T * B, H), draw(T * B, G * H)
    W_x, W_h, W_x_T, W_h_T = draw(G * H, I), draw(G * H, H), draw(G, I, H), draw(G, H, H)
    a, recurrent, dx, dh = draw(G, BLOCK * B, H), draw(G, B, H), draw(T * B, I), draw(B, H)
    dW_x, dW_h = draw(G * H, I), draw(G * H, H)
    blocks = [range(first, min(first + BLOCK, T)) for first in range(0, T, BLOCK)]

    def products() -> None:
        for block in blocks:
            rows = slice(block.start * B, block.stop * B)
            np.matmul(x[rows], W_x_T, out=a[:, : len(block) * B])
            for t in block:
                np.matmul(h[t * B : (t + 1) * B], W_h_T, out=recurrent)
        for block in reversed(blocks) if train else ():
            rows = slice(block.start * B, block.stop * B)
            for t in reversed(block):
                np.matmul(dz[t * B : (t + 1) * B], W_h, out=dh)
            np.matmul(dz[rows], W_x, out=dx[rows])
            np.matmul(dz[rows].T, x[rows], out=dW_x)
            np.matmul(dz[rows].T, h[rows], out=dW_h)

    return products


def contenders(name: str, size: tuple[int, int, int, int], mode: str) -> dict[str, Function]:
    """rnnlib, torch, the floor and the textbook loop on the same numbers."""
    import numpy as np
    import torch

    import rnnlib

    torch.set_num_threads(1)
    T, B, I, H = size
    train, ragged = mode != "infer", mode == "ragged"
    rng = np.random.default_rng(0)
    x = rng.standard_normal((T, B, I), dtype=np.float32)
    dy = rng.standard_normal((T, B, H), dtype=np.float32)
    lengths = rng.integers(T // 2, T + 1, size=B) if ragged else None
    layer = getattr(rnnlib, name)(I, H, seed=0, dtype=np.float32).train(train)
    twin = getattr(torch.nn, name)(I, H)
    x_t, dy_t = torch.tensor(x, requires_grad=train), torch.tensor(dy)

    def ours() -> None:
        layer(x, lengths=lengths)
        if train:
            layer.backward(dy)

    def theirs() -> None:
        with torch.set_grad_enabled(train):
            if ragged:
                fed = torch.nn.utils.rnn.pack_padded_sequence(
                    x_t, torch.tensor(lengths), enforce_sorted=False
                )
                y, _ = torch.nn.utils.rnn.pad_packed_sequence(twin(fed)[0], total_length=T)
            else:
                y, _ = twin(x_t)
        if train:
            y.backward(dy_t)

    if ragged:
        return {"rnnlib": ours, "torch": theirs}
    cell = getattr(rnnlib, name + "Cell")(I, H, seed=0, dtype=np.float32)

    def loop() -> None:
        _, _, caches = rnnlib.unroll(cell, x, cell.initial_state(B))
        if train:
            rnnlib.unroll_backward(cell, dy, caches)

    return {"rnnlib": ours, "torch": theirs, "floor": floor(name, *size, train), "loop": loop}


def compare(seconds: float) -> list[dict]:
    """Every layer, size and mode: the seconds of each contender."""
    rows = []
    for name in LAYERS:
        for size in SIZES:
            for mode in ("train", "infer", "ragged"):
                times = best(contenders(name, size, mode), seconds)
                rows.append({"layer": name, "size": size, "mode": mode, "seconds": times})
                ratios = {k: times[k] / times["torch"] for k in times if k != "torch"}
                shown = "  ".join(f"{k} {v:5.2f}" for k, v in ratios.items())
                print(f"{name:5}{size!s:22}{mode:7} of torch:  {shown}", flush=True)
    return rows


def peak(function: Function) -> int:
    """Most bytes alive at once while it runs, beyond those before."""
    gc.collect()
    tracemalloc.start()
    function()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most


def growth(seconds: float) -> dict:
    """Time and memory over T and over B."""
    import numpy as np

    import rnnlib

    rows = []
    B, I, H = 32, 64, 128
    # arrays of (T, B, H) without which there is no way back: every state and gate;
    # the gradient by the input comes to them
    stored = {"RNN": 1, "GRU": 5, "LSTM": 6}
    ranges = {"T": (25, 50, 100, 200, 400, 800), "B": (8, 16, 32, 64, 128)}
    for name in LAYERS:
        for axis, values in ranges.items():
            for value in values:
                T, batch = (value, B) if axis == "T" else (100, value)
                x, dy = np.ones((T, batch, I), np.float32), np.ones((T, batch, H), np.float32)

                def layer(name=name) -> rnnlib.Module:
                    return getattr(rnnlib, name)(I, H, seed=0, dtype=np.float32)

                def train(layer: rnnlib.Module, x=x, dy=dy) -> None:
                    layer(x)
                    layer.backward(dy)

                trained, used = layer(), layer().eval()
                times = best(
                    {"train": lambda: train(trained), "infer": lambda: used(x)},  # noqa: B023
                    seconds,
                )
                # of a new layer, which has no memory of an earlier pass
                new, unused = layer(), layer().eval()
                bytes_ = {"train": peak(lambda: train(new)), "infer": peak(lambda: unused(x))}  # noqa: B023
                rows.append(
                    {"layer": name, "axis": axis, "T": T, "B": batch, "seconds": times}
                    | {"bytes": bytes_}
                    | {"needed": 4 * T * batch * (H * stored[name] + I)}
                    | {"output": 4 * T * batch * H}
                )
        print(f"{name}: growth over T and B measured", flush=True)
    return {"I": I, "H": H, "rows": rows}


def machine() -> dict:
    """What it ran on."""
    import numpy as np
    import torch

    import rnnlib

    name = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        lines = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        name = lines[0].split(":")[1].strip() if lines else name
    return {
        "processor": name,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "torch": torch.__version__.split("+")[0],
        "rnnlib": rnnlib.__version__,
    }


def summary(rows: list[dict]) -> dict[str, float]:
    """The numbers that are compared with the goals."""

    def ratios(layers: str, mode: str, least_B: int = 1, over: str = "torch") -> list[float]:
        return [
            row["seconds"]["rnnlib"] / row["seconds"][over]
            for row in rows
            if row["layer"] in layers.split() and row["mode"] == mode and row["size"][1] >= least_B
        ]

    def mean(values: list[float]) -> float:
        return math.exp(sum(map(math.log, values)) / len(values))

    return {
        "RNN and GRU, largest ratio to torch": max(
            ratios("RNN GRU", "train") + ratios("RNN GRU", "infer")
        ),
        "RNN and GRU training, geometric mean to torch": mean(ratios("RNN GRU", "train")),
        "LSTM training, largest ratio to the floor, B ≥ 16": max(
            ratios("LSTM", "train", 16, over="floor")
        ),
        "LSTM training, geometric mean to torch, B ≥ 16": mean(ratios("LSTM", "train", 16)),
        "LSTM training to torch, B = 1": ratios("LSTM", "train")[-1],
        "ragged training, largest ratio to torch": max(ratios("RNN GRU LSTM", "ragged", 2)),
        "ragged training, largest ratio to torch, B = 1 too": max(ratios("RNN GRU LSTM", "ragged")),
    }


def half_run(half: str, seconds: float) -> None:
    """One half, in this process; the result goes to the last line of stderr."""
    rows = compare(seconds)
    result: dict = {"rows": rows, "summary": summary(rows)}
    if half == "default":
        result |= {"growth": growth(seconds / 4), "machine": machine()}
    print(json.dumps(result), file=sys.stderr)


def main() -> None:
    """Run both halves, each in a process of its own: OpenBLAS chooses when it is loaded."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="three repetitions of everything")
    parser.add_argument("--half", choices=["default", "AVX-512"], help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.half:
        half_run(arguments.half, 0.0 if arguments.quick else 1.5)
        return
    halves = {"default": {}, "AVX-512": {"OPENBLAS_CORETYPE": "SkylakeX"}}
    info = Path("/proc/cpuinfo")
    if not (info.exists() and "avx512f" in info.read_text()):
        del halves["AVX-512"]
        print("This processor has no AVX-512: its half is left out.")
    results: dict = {}
    for half, settings in halves.items():
        print(f"── kernels: {half}", flush=True)
        command = [sys.executable, __file__, "--half", half] + ["--quick"] * arguments.quick
        environment = os.environ | ONE_THREAD | settings
        run = subprocess.run(command, env=environment, stderr=subprocess.PIPE, text=True)
        if run.returncode:
            sys.exit(run.stderr)
        results[half] = json.loads(run.stderr.splitlines()[-1])
        for name, number in results[half]["summary"].items():
            print(f"{name:52} {number:.2f}")
    if not arguments.quick:
        RESULT.parent.mkdir(parents=True, exist_ok=True)
        RESULT.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
        print(f"Written: {RESULT.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
