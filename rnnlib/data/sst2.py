"""SST-2: real sentences from film reviews, labelled by people; an optional download.

Used in chapter 09_sentiment. Source: the Stanford Sentiment Treebank (Socher et al. 2013),
sentences with two labels; no licence is stated, so nothing of them is part of this project.
"""

from __future__ import annotations

from .download import find


def sentences(part: str) -> list[tuple[list[str], int]]:
    """Return the words of each sentence and its label, 1 for praise and 0 for blame.

    Parameters
    ----------
    part : str
        "train" (6,920 sentences), "dev" (872) or "test" (1,821).

    Raises
    ------
    ValueError
        If there is no such part.
    OSError
        If it is not in RNNLIB_DATA and cannot be fetched; `download.find` says more.

    References
    ----------
    Socher et al., Recursive deep models for semantic compositionality over a sentiment
    treebank, EMNLP 2013.
    """
    if part not in ("train", "dev", "test"):
        raise ValueError(f"part must be train, dev or test, got {part!r}")
    lines = find(f"sst2/{part}.tsv").read_text(encoding="utf-8").splitlines()
    pairs = (line.split("\t") for line in lines)
    return [(text.split(), int(label)) for text, label in pairs]
