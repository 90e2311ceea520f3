"""Text to learn to write: the docstrings of NumPy, which every installation brings along.

A docstring says what a function does: a summary, its parameters, what it returns, examples.

    numpy.outer  →  Compute the outer product of two vectors.

                    Given two vectors `a` and `b` of length ``M`` and ``N``, respectively,
                    the outer product [1]_ is::

Much of it stands there more than once, word for word: what is said of one function is said
of the next. So paragraphs that repeat an earlier one in part are dropped, and whole
docstrings are held out. tiny-shakespeare, which has to be fetched, is split by the same code.

Derived in chapter 04_text. Source: NumPy (Harris et al., 2020), BSD licence, as installed:
another version of NumPy is another text. Shakespeare is in the public domain.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Sequence
from types import ModuleType

import numpy as np

from ..validation import as_rng, expect_index, expect_positive, expect_shape
from .download import find

#: The sign before each text, and all characters of a text: new line, and what ASCII prints.
START = "\0"
CHARACTERS = START + "\n" + "".join(map(chr, range(ord(" "), ord("~") + 1)))
INDEX = {character: index for index, character in enumerate(CHARACTERS)}

#: A docstring with fewer characters is left out.
SHORTEST = 300

# what scipy, once it is imported, has written into the docstring of numpy.sinc
SCIPYS = re.compile(r"\*\*Array API Standard Support\*\*.*?`dev-arrayapi` .*?\n\s*", re.DOTALL)


def docstrings() -> list[str]:
    """Return NumPy's docstrings of some length, each once, without its indentation.

    >>> any(text.startswith("Compute the outer product of two") for text in docstrings())
    True
    """
    found: dict[str, None] = {}  # in the order in which they are met
    for thing in _public():
        text = getattr(thing, "__doc__", None)
        if isinstance(text, str):
            text = SCIPYS.sub("", inspect.cleandoc(text)).replace("\t", " ")
            # a line that tells the reader's own machine is another one elsewhere
            lines = [line.rstrip() for line in text.split("\n") if "on this platform" not in line]
            text = "".join(c for c in "\n".join(lines) if c in INDEX)
            if len(text) >= SHORTEST:
                found[text] = None
    return list(found)


def _public() -> Iterator[object]:
    """NumPy's public namespaces, their functions and classes, and what the classes define."""
    p = np.polynomial
    families = (p.polynomial, p.chebyshev, p.legendre, p.laguerre, p.hermite, p.hermite_e)
    main = (np, np.linalg, np.fft, np.random, np.ma, np.strings, np.char, np.rec, np.lib.format)
    for space in (*main, np.lib.stride_tricks, np.exceptions, np.dtypes, p, *families):
        yield space
        for name, thing in sorted(vars(space).items()):
            if name.startswith("_") or isinstance(thing, ModuleType):
                continue
            yield thing
            # Python's own classes tell of Python
            if isinstance(thing, type) and thing.__module__.startswith("numpy"):
                yield from (thing.__dict__[name] for name in sorted(vars(thing)) if name[0] != "_")


def shakespeare() -> list[str]:
    """Return tiny-shakespeare in scenes of about 40 speeches; `download.find` says where from."""
    speeches = find("tiny-shakespeare.txt").read_text(encoding="ascii").split("\n\n")
    return ["\n\n".join(speeches[k : k + 40]) for k in range(0, len(speeches), 40)]


def without_repeats(texts: Sequence[str], span: int = 40) -> list[str]:
    """Drop each paragraph that shares so many characters in a row with an earlier text.

    What is left of a text counts if it still has some length. Afterwards no paragraph of
    one text has `span` characters in common with a paragraph of another.

    >>> first = "A sentence that many functions have in common. " * 7
    >>> other = "The second text says something of its own, and at some length. " * 5
    >>> [text] = without_repeats([other + "\\n\\n" + "x" * 40, "Short.\\n\\n" + other])
    >>> text == other + "\\n\\n" + "x" * 40
    True
    """
    expect_positive("span", span)
    stood: set[str] = set()
    kept = []
    for text in texts:
        paragraphs = text.split("\n\n")
        spans = [{p[k : k + span] for k in range(len(p) - span + 1)} for p in paragraphs]
        fresh = [p for p, some in zip(paragraphs, spans, strict=True) if stood.isdisjoint(some)]
        stood.update(*spans)
        kept.append("\n\n".join(fresh))
    return [text for text in kept if len(text) >= SHORTEST]


def split(
    texts: Sequence[str], seed: int | np.random.Generator = 0
) -> tuple[list[str], list[str], list[str]]:
    """Split into training, validation and test, whole texts each: about 80, 10 and 10%.

    The shares are of characters, and the order of the texts is drawn.

    >>> [len(part) for part in split(["0123456789"] * 50)]
    [40, 5, 5]
    """
    order = as_rng(seed).permutation(len(texts))
    ends = np.cumsum([len(texts[n]) for n in order])
    test, validation = (int(np.searchsorted(ends, share * ends[-1])) + 1 for share in (0.1, 0.2))
    parts = order[validation:], order[test:validation], order[:test]
    return tuple([texts[n] for n in part] for part in parts)  # type: ignore[return-value]


def encode(texts: Sequence[str]) -> np.ndarray:
    """Make one long array (N,) of whole numbers: each text's characters, behind a START.

    >>> encode(["ab", "b"]).tolist()
    [0, 67, 68, 0, 68]

    Raises
    ------
    ValueError
        If a text holds a character that is not among `CHARACTERS`.
    """
    text = "".join(START + text for text in texts)
    unknown = sorted(set(text) - set(CHARACTERS))
    if unknown:
        raise ValueError(f"texts hold {unknown[0]!r}, which is not among CHARACTERS")
    return np.array([INDEX[character] for character in text], dtype=np.int64)


def decode(indices: np.ndarray) -> str:
    """Turn (N,) whole numbers back into text, a START included.

    >>> decode(encode(["ab"]))
    '\\x00ab'
    """
    expect_shape("indices", indices, ("N",))
    expect_index("indices", indices, len(CHARACTERS))
    return "".join(CHARACTERS[index] for index in indices)
