"""Does this machine compute the bits that the chapters' stored outputs came from?

    python tools/fingerprint.py            silent if it does; otherwise says which parts differ
    python tools/fingerprint.py --store    `make lock`: what the new versions compute on AVX2

Processors round differently, and so do versions of the libraries. This is a small sample of what
chapters compute. Where it comes out in the stored bits, the chapters must print what is stored.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import torch

STORED = Path(__file__).with_suffix(".json")
DTYPES = ("float32", "float64")


def uniform(*shape: int) -> np.ndarray:
    """Numbers in [-4, 4), the same bits everywhere."""
    return np.random.default_rng(shape).random(shape) * 8 - 4


def products() -> Iterator[np.ndarray]:
    """OpenBLAS treats small, thin and transposed matrices in ways of their own."""
    for dtype in DTYPES:
        for n, k, m in [(1, 3, 4), (5, 4, 4), (50, 1, 64), (32, 64, 128), (65, 257, 33)]:
            a, b = uniform(n, k).astype(dtype), uniform(k, m).astype(dtype)
            yield from (a @ b, b.T @ a.T, a @ b[:, 0], a[0] @ b, a[0] @ a[0])


def sums() -> Iterator[np.ndarray]:
    for dtype in DTYPES:
        x = uniform(33, 257).astype(dtype)
        yield from (x.sum(), x.sum(axis=0), x.mean(axis=1), x.var(), np.cumsum(x))
        yield from (np.einsum("ij,kj->ik", x, x), np.linalg.norm(x))


def decompositions() -> Iterator[np.ndarray]:
    for dtype in DTYPES:
        x = uniform(33, 33).astype(dtype)
        yield from (*np.linalg.qr(x), *np.linalg.svd(x), np.linalg.eigvals(x), np.linalg.inv(x))


def elementwise(function: np.ufunc) -> Iterator[np.ndarray]:
    for dtype in DTYPES:
        yield function(abs(uniform(1013)).astype(dtype))


def torch_layers() -> Iterator[np.ndarray]:
    """Each recurrent layer forward and backward, a linear layer and the cross-entropy behind it."""
    for kind in (torch.nn.RNN, torch.nn.LSTM, torch.nn.GRU):
        for dtype in DTYPES:
            layer, output = kind(13, 40), torch.nn.Linear(40, 7)
            parameters = [*layer.parameters(), *output.parameters()]
            for parameter in parameters:
                start = uniform(*parameter.shape).astype(dtype) / 16
                parameter.data = torch.from_numpy(start)
            x = torch.from_numpy(uniform(21, 9, 13).astype(dtype))
            y, _ = layer(x)
            torch.nn.functional.cross_entropy(output(y[-1]), torch.arange(9) % 7).backward()
            yield y.detach().numpy()
            yield from (parameter.grad.numpy() for parameter in parameters)


def torch_adam() -> Iterator[np.ndarray]:
    """MKL's square root starts from the processor's own estimate, which no setting changes."""
    for dtype in DTYPES:
        parameter = torch.nn.Parameter(torch.from_numpy(uniform(33, 257).astype(dtype)))
        parameter.grad = torch.from_numpy(uniform(33, 257)[::-1].astype(dtype))
        optimizer = torch.optim.Adam([parameter], lr=0.01)
        for _ in range(3):
            torch.nn.utils.clip_grad_norm_([parameter], 1.0)
            optimizer.step()
        yield parameter.detach().numpy()


FUNCTIONS = (np.tanh, np.exp, np.log, np.log2, np.log1p, np.sqrt, np.sin, np.cos)
PARTS: dict[str, Callable[[], Iterator[np.ndarray]]] = {
    "NumPy's products": products,
    "NumPy's sums": sums,
    "NumPy's decompositions": decompositions,
    **{f"NumPy's {one.__name__}": partial(elementwise, one) for one in FUNCTIONS},
    "torch's layers": torch_layers,
    "torch's Adam": torch_adam,
}


def fingerprint() -> dict[str, str]:
    """A checksum of each part."""
    return {
        part: hashlib.sha256(b"".join(np.asarray(a).tobytes() for a in compute())).hexdigest()[:16]
        for part, compute in PARTS.items()
    }


def versions() -> dict[str, str]:
    return {"numpy": np.__version__, "torch": torch.__version__.split("+")[0]}


def store() -> None:
    """For new versions only, and on AVX2 only: with other bits the gate would be strict nowhere."""
    if STORED.exists() and json.loads(STORED.read_text("utf-8"))["versions"] == versions():
        return
    found = np.show_config(mode="dicts")["SIMD Extensions"]["found"]
    if found != ["X86_V3"] or torch.backends.cpu.get_cpu_capability() != "AVX2":
        sys.exit(
            "The fingerprint of the new versions is stored on a processor with AVX2: make lock"
        )
    content = {"versions": versions(), "parts": fingerprint()}
    STORED.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--store", action="store_true")
    if parser.parse_args().store:
        store()
        return
    stored = json.loads(STORED.read_text("utf-8"))["parts"]
    others = [part for part, checksum in fingerprint().items() if stored.get(part) != checksum]
    if others:
        print(
            f"This machine computes {', '.join(others)} in other bits than the stored outputs"
            " came from: a cell that prints otherwise is passed over."
        )


if __name__ == "__main__":
    main()
