"""How fast is rnnlib? Ratios against torch on one thread, in one run on this machine.

Training is forward and backward, inference is forward in evaluation; all in float32.
Beside the layers' training stand the two ends between which it must lie: the floor (the
same matrix products in NumPy and nothing else) and the textbook loop over `cells`.

    python tools/benchmarks/speed.py           everything, once with AVX2 and, where the
                                               processor has it, once with AVX-512
    python tools/benchmarks/speed.py --quick   three repetitions of everything, nothing written
    python tools/benchmarks/speed.py --waiting only what waiting for the step before costs
                                               (chapter 15), the rest of the file is kept

Both sides are held to the same instructions. Times are the processor's, so that other
programs do not count, and the shortest of many; calls are taken in turns, so that a slow
moment strikes all alike. The LSTM's training is besides measured in blocks, one call after
the other of the same kind: then caches and the allocator are as the last call left them.

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
# What holds NumPy's loops, its OpenBLAS, and torch's own loops, oneDNN and MKL to AVX2.
AVX2 = {
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",
    "OPENBLAS_CORETYPE": "Haswell",
    "ATEN_CPU_CAPABILITY": "avx2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
}
Function = Callable[[], object]


def best(functions: dict[str, Function], seconds: float) -> dict[str, float]:
    """The shortest processor time of each, taken in turns."""
    times = dict.fromkeys(functions, float("inf"))
    start, rounds = time.perf_counter(), 0
    while rounds < 4 or time.perf_counter() - start < seconds:
        for name, function in functions.items():
            before = time.process_time()
            function()
            if rounds:  # the first round warms up
                times[name] = min(times[name], time.process_time() - before)
        rounds += 1
    return times


def in_blocks(functions: dict[str, Function], seconds: float) -> dict[str, float]:
    """The same of rnnlib and torch, each on its own: one call of it after the other."""
    sides = "rnnlib", "torch"
    return {side: best({side: functions[side]}, seconds)[side] for side in sides}


def floor(name: str, T: int, B: int, I: int, H: int) -> Function:
    """The matrix products of a layer's training, arranged as in `kernels`, and nothing else."""
    import numpy as np

    BLOCK = max(2, 384 // B, H // B)
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
        for block in reversed(blocks):
            rows = slice(block.start * B, block.stop * B)
            for t in reversed(block):
                np.matmul(dz[t * B : (t + 1) * B], W_h, out=dh)
            np.matmul(dz[rows], W_x, out=dx[rows])
            np.matmul(dz[rows].T, x[rows], out=dW_x)
            np.matmul(dz[rows].T, h[rows], out=dW_h)

    return products


def contenders(name: str, size: tuple[int, int, int, int], mode: str) -> dict[str, Function]:
    """rnnlib and torch, in training also the floor and the textbook loop, on the same numbers."""
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

    if mode != "train":
        return {"rnnlib": ours, "torch": theirs}
    cell = getattr(rnnlib, name + "Cell")(I, H, seed=0, dtype=np.float32)

    def loop() -> None:
        _, _, caches = rnnlib.unroll(cell, x, cell.initial_state(B))
        rnnlib.unroll_backward(cell, dy, caches)

    return {"rnnlib": ours, "torch": theirs, "floor": floor(name, *size), "loop": loop}


def compare(seconds: float) -> list[dict]:
    """Every layer, size and mode: the seconds of each contender."""
    rows = []
    for name in LAYERS:
        for size in SIZES:
            for mode in ("train", "infer", "ragged"):
                functions = contenders(name, size, mode)
                times = best(functions, seconds)
                row = {"layer": name, "size": size, "mode": mode, "seconds": times}
                ratios = {k: times[k] / times["torch"] for k in times if k != "torch"}
                if (name, mode) == ("LSTM", "train"):
                    row["blocks"] = in_blocks(functions, seconds / 2)
                    ratios["in blocks"] = row["blocks"]["rnnlib"] / row["blocks"]["torch"]
                rows.append(row)
                shown = "  ".join(f"{k} {v:5.2f}" for k, v in ratios.items())
                print(f"{name:5}{size!s:22}{mode:7} of torch:  {shown}", flush=True)
    return rows


def peak(function: Function) -> int:
    """Most bytes alive at once while it runs, beyond those before; no pass before it left any."""
    from rnnlib import kernels

    kernels._pool.rooms.clear()
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


def waiting(seconds: float) -> dict:
    """What it costs that a step waits: beside a model without a memory, and as a scan.

    The feed-forward model has the weights of the RNN and does its matrix products, but the
    second layer reads the first one's output and not its own: so no row waits for another.
    """
    import numpy as np

    import rnnlib

    I, H = 64, 128
    rng = np.random.default_rng(0)
    sizes = [(T, B) for B in (1, 32) for T in (25, 100, 400, 1600)]
    sizes += [(100, B) for B in (8, 128)]
    rows, scans = [], []
    for T, B in sizes:
        x = rng.standard_normal((T, B, I), dtype=np.float32)
        dy = rng.standard_normal((T, B, H), dtype=np.float32)
        recurrent = rnnlib.RNN(I, H, seed=0, dtype=np.float32)
        first, second = (rnnlib.Linear(n, H, seed=0, dtype=np.float32) for n in (I, H))

        def rnn(x=x, dy=dy, layer=recurrent) -> None:
            layer(x)
            layer.backward(dy)

        # in blocks that stay in the cache, as the layers have them
        blocks = list(
            zip(
                *(np.array_split(z.reshape(T * B, -1), -(-T * B // 512)) for z in (x, dy)),
                strict=True,
            )
        )

        def feed_forward(blocks=blocks, first=first, second=second) -> None:
            for x, dy in blocks:
                u = np.tanh(first(x))
                y = np.tanh(second(u))
                first.backward(second.backward(dy * (1 - y * y)) * (1 - u * u))

        times = best({"rnn": rnn, "feed_forward": feed_forward}, seconds)
        rows.append({"T": T, "B": B, "seconds": times})
    for width in (1, 8, 32, 128, 1024):
        shape = (1024, 1, width)
        a = rng.uniform(size=shape).astype(np.float32)
        b = rng.standard_normal(shape, dtype=np.float32)
        h_0 = np.zeros(shape[1:], np.float32)
        ways = {"scan": rnnlib.scan, "loop": rnnlib.scan_loop}
        calls = {name: lambda way=way: way(a, b, h_0) for name, way in ways.items()}  # noqa: B023
        scans.append({"T": shape[0], "width": width, "seconds": best(calls, seconds)})
    print("what waiting costs: measured", flush=True)
    return {"machine": machine(), "I": I, "H": H, "rows": rows, "scans": scans}


def machine() -> dict:
    """What it ran on: names alone say little ("AMD EPYC"), so family and model stand with them."""
    import numpy as np
    import torch

    import rnnlib

    found = np.show_config(mode="dicts")["SIMD Extensions"]
    return {
        "processor": _processor(),
        "NumPy's SIMD": " ".join(found["baseline"] + found["found"]),
        "torch's SIMD": torch.backends.cpu.get_cpu_capability(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "torch": torch.__version__.split("+")[0],
        "rnnlib": rnnlib.__version__,
    }


def _processor() -> str:
    """Its name, family, model and stepping, as far as the system tells."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    said = {}
    for line in lines:
        name, _, value = line.partition(":")
        said.setdefault(name.strip(), value.strip())
    shown = [said.get("model name") or platform.processor() or platform.machine()]
    shown += [
        f"{what} {said[of]}"
        for what, of in (("family", "cpu family"), ("model", "model"), ("stepping", "stepping"))
        if of in said
    ]
    return ", ".join(shown)


def summary(rows: list[dict]) -> dict[str, float]:
    """The numbers that are compared with the goals."""

    def ratios(
        layers: str, mode: str, least_B: int = 1, over: str = "torch", calls: str = "seconds"
    ) -> list[float]:
        return [
            row[calls]["rnnlib"] / row[calls][over]
            for row in rows
            if row["layer"] in layers.split() and row["mode"] == mode and row["size"][1] >= least_B
        ]

    def mean(values: list[float]) -> float:
        return math.exp(sum(map(math.log, values)) / len(values))

    return {
        "RNN and GRU training, geometric mean to torch": mean(ratios("RNN GRU", "train")),
        "RNN and GRU, largest ratio to torch": max(
            ratios("RNN GRU", "train") + ratios("RNN GRU", "infer")
        ),
        "LSTM training, B ≥ 16, geometric mean to torch": mean(ratios("LSTM", "train", 16)),
        "LSTM training, B ≥ 16, largest ratio to torch": max(ratios("LSTM", "train", 16)),
        "LSTM training, B ≥ 16, largest ratio to the floor": max(
            ratios("LSTM", "train", 16, over="floor")
        ),
        "LSTM training, B ≥ 16, geometric mean, in blocks": mean(
            ratios("LSTM", "train", 16, calls="blocks")
        ),
        "LSTM training to torch, B = 1": ratios("LSTM", "train")[-1],
        "LSTM training to torch, B = 1, in blocks": ratios("LSTM", "train", calls="blocks")[-1],
        "ragged training, B ≥ 16, largest ratio to torch": max(ratios("RNN GRU LSTM", "ragged", 2)),
        "ragged training, B = 1, largest ratio to torch": max(
            ratio for layer in LAYERS for ratio in ratios(layer, "ragged")[-1:]
        ),
    }


def half_run(seconds: float, part: str) -> None:
    """One set of instructions, in this process; the result goes to the last line of stderr."""
    result: dict = {}
    if part != "waiting":
        rows = compare(seconds)
        result = {"machine": machine(), "rows": rows, "summary": summary(rows)}
    if part == "grow":
        result["growth"] = growth(seconds / 4)
    if part != "alone":
        result["waiting"] = waiting(seconds / 4)
    print(json.dumps(result), file=sys.stderr)


def instructions() -> dict[str, dict[str, str]]:
    """The sets of instructions that are measured here, with the environment that chooses each."""
    info = Path("/proc/cpuinfo")
    flags = info.read_text() if info.exists() else ""
    if "avx512f" in flags:
        return {"AVX2": AVX2, "AVX-512": {"OPENBLAS_CORETYPE": "SkylakeX"}}
    return {"AVX2": AVX2} if "avx2" in flags else {platform.machine() or "default": {}}


def main() -> None:
    """Run each set in a process of its own: libraries choose their code when they are loaded."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="three repetitions of everything")
    parser.add_argument("--waiting", action="store_true", help="only what waiting costs")
    parser.add_argument("--half", choices=["grow", "alone", "waiting"], help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.half:
        half_run(0.0 if arguments.quick else 1.5, arguments.half)
        return
    results: dict = {}
    stored = json.loads(RESULT.read_text(encoding="utf-8")) if arguments.waiting else {}
    for name, settings in instructions().items():
        if stored and name not in stored:
            sys.exit(f"{RESULT.name} holds nothing with {name}: measure everything once")
        print(f"── {name}", flush=True)
        half = "waiting" if arguments.waiting else "alone" if results else "grow"
        command = [sys.executable, __file__, "--half", half] + ["--quick"] * arguments.quick
        environment = os.environ | ONE_THREAD | settings
        run = subprocess.run(command, env=environment, stderr=subprocess.PIPE, text=True)
        if run.returncode:
            sys.exit(run.stderr)
        results[name] = stored.get(name, {}) | json.loads(run.stderr.splitlines()[-1])
        for what, number in results[name]["summary"].items():
            print(f"{what:52} {number:.2f}")
        if arguments.waiting:  # the first set of instructions is the one of growth, too
            results |= {other: part for other, part in stored.items() if other != name}
            break
    if not arguments.quick:
        RESULT.parent.mkdir(parents=True, exist_ok=True)
        RESULT.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
        print(f"Written: {RESULT.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
