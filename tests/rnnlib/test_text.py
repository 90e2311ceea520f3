"""The text of chapter 04: the same everywhere, without repeats, split by whole docstrings."""

import subprocess
import sys

import numpy as np
import pytest

from rnnlib.data import text


@pytest.fixture(scope="module")
def told():
    return text.docstrings()


@pytest.fixture(scope="module")
def kept(told):
    return text.without_repeats(told)


def spans(texts, length):
    """The spans of each text's paragraphs."""
    return [
        {p[k : k + length] for p in one.split("\n\n") for k in range(len(p) - length + 1)}
        for one in texts
    ]


def test_docstrings_are_many_long_and_each_there_once(told):
    assert len(told) > 1000 and sum(map(len, told)) > 1_500_000
    assert len(set(told)) == len(told)
    assert min(map(len, told)) >= text.SHORTEST
    assert set("".join(told)) <= set(text.CHARACTERS) - {text.START}


def test_no_line_tells_of_this_machine(told):
    assert np.longdouble.__doc__ is not None and "on this platform" in np.longdouble.__doc__
    assert not any("on this platform" in one for one in told)


def test_it_is_numpy_that_tells_and_not_python(told):
    assert not any(one.startswith(str.replace.__doc__[:40]) for one in told)


def test_no_paragraph_shares_forty_characters_with_another_text(told, kept):
    each = spans(kept, 40)
    together = set().union(*each)
    assert sum(map(len, each)) == len(together)
    before = spans(told, 40)
    assert sum(map(len, before)) > 1.5 * len(set().union(*before))


def test_repeats_within_one_text_stay():
    twice = "It may say the same again, as long as it is one text. " * 8
    assert text.without_repeats([twice, "Other: " + twice]) == [twice]


def test_the_parts_hold_every_text_once_and_about_the_promised_shares(kept):
    parts = text.split(kept)
    assert sorted(one for part in parts for one in part) == sorted(kept)
    sizes = np.array([sum(map(len, part)) for part in parts])
    np.testing.assert_allclose(sizes / sizes.sum(), [0.8, 0.1, 0.1], atol=0.03)
    assert text.split(kept) == parts
    assert text.split(kept, seed=1) != parts


def test_numbers_become_the_same_text_again(kept):
    code = text.encode(kept[:20])
    assert text.decode(code) == "".join(text.START + one for one in kept[:20])
    assert code.min() == 0 and code.max() < len(text.CHARACTERS) == 97
    with pytest.raises(ValueError, match="texts hold 'é', which is not among CHARACTERS"):
        text.encode(["café"])


def test_shakespeare_goes_through_the_same_code(public):
    public("tiny-shakespeare.txt")
    scenes = text.shakespeare()
    assert "\n\n".join(scenes).startswith("First Citizen:\nBefore we proceed any further")
    parts = text.split(text.without_repeats(scenes))
    assert [len(text.encode(part)) > 50_000 for part in parts] == [True, True, True]


def test_the_docstrings_are_the_same_when_scipy_has_written_into_them():
    """In a process of its own: what is written stays."""
    code = (
        "import numpy as np; from rnnlib.data.text import docstrings\n"
        "before, sinc = docstrings(), np.sinc.__doc__\n"
        "import scipy.stats\n"
        "print(sinc != np.sinc.__doc__, docstrings() == before)"
    )
    said = subprocess.run([sys.executable, "-c", code], text=True, capture_output=True, check=True)
    assert said.stdout.split() == ["True", "True"]
