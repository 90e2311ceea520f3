"""Dates and numbers in English and in Hungarian: texts whose translation is known exactly.

Hungarian writes a date from the year to the weekday, and a number as a single word. Texts of
several such things are lists, whose last two are joined by a word:

    Friday, January 5, 2024 and forty-two   →   2024. január 5., péntek és negyvenkettő

One in ten of the dates and of the composed numbers stands in no training text; a text for the
test holds only such ones, so that nothing of it can be known by heart.

Derived in chapter 10_translation. Source: names and patterns are those of the Unicode CLDR (locales
en and hu, forms "long" and "full"; Unicode licence). Tests compare the dates with Babel's and the
numbers with num2words'; they stand here so that no reader needs these two.
"""

from __future__ import annotations

import datetime
import itertools
import re
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from ..training import Buckets
from ..validation import as_rng, expect_positive

MONTHS = {
    "en": "January February March April May June July August September October November "
    "December".split(),
    "hu": "január február március április május június július augusztus szeptember október "
    "november december".split(),
}
#: From Monday on, as Python counts them.
WEEKDAYS = {
    "en": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split(),
    "hu": "hétfő kedd szerda csütörtök péntek szombat vasárnap".split(),
}
ONES = {
    "en": "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen".split(),
    "hu": "nulla egy kettő három négy öt hat hét nyolc kilenc".split(),
}
#: In Hungarian from 30 on: 10 and 20 have another form before a one.
TENS = {
    "en": "twenty thirty forty fifty sixty seventy eighty ninety".split(),
    "hu": "harminc negyven ötven hatvan hetven nyolcvan kilencven".split(),
}
FORMS = {  # without the weekday and with it
    "en": ("{month} {day}, {year}", "{weekday}, {month} {day}, {year}"),
    "hu": ("{year}. {month} {day}.", "{year}. {month} {day}., {weekday}"),
}
AND = {"en": (" and ", ", and "), "hu": (" és ", " és ")}  # in a list of two, and of more

FIRST = datetime.date(1900, 1, 1)
DAYS = (datetime.date(2100, 1, 1) - FIRST).days  #: All days of two centuries: 73,049.
NUMBERS = 1000  #: Numbers from 0 to 999.


def date_in_words(date: datetime.date, language: str, weekday: bool = False) -> str:
    """Write a date out, with the weekday if asked.

    >>> date_in_words(datetime.date(2024, 1, 5), "hu", weekday=True)
    '2024. január 5., péntek'
    """
    names = MONTHS[language][date.month - 1], WEEKDAYS[language][date.weekday()]
    form, numbers = FORMS[language][weekday], {"year": date.year, "day": date.day}
    return form.format(month=names[0], weekday=names[1], **numbers)


def number_in_words(n: int, language: str) -> str:
    """Write a number from 0 to 999 out.

    >>> number_in_words(722, "en"), number_in_words(722, "hu")
    ('seven hundred and twenty-two', 'hétszázhuszonkettő')
    """
    if not 0 <= n < NUMBERS:
        raise ValueError(f"n must lie in 0 … {NUMBERS - 1}, got {n}")
    (hundreds, rest), ones = divmod(n, 100), ONES[language]
    tens, one = divmod(rest, 10)
    if language == "en":
        small = ones[rest] if rest < 20 else TENS[language][tens - 2] + f"-{ones[one]}" * (one > 0)
        parts = [f"{ones[hundreds]} hundred"] * (hundreds > 0) + [small] * (rest > 0 or n == 0)
        return " and ".join(parts)
    start = {0: "", 1: "száz", 2: "kétszáz"}.get(hundreds, ones[hundreds] + "száz")
    if tens in (1, 2):
        start += (("tizen", "huszon") if one else ("tíz", "húsz"))[tens - 1]
    elif tens:
        start += TENS[language][tens - 3]
    return start + (ones[one] if one or n == 0 else "")


def list_in_words(items: Sequence[str], language: str) -> str:
    """Join the things of a list: "two, five, and ten"."""
    *before, last = items
    return ", ".join(before) + AND[language][len(items) > 2] * bool(before) + last


class Pair(NamedTuple):
    source: str  #: English.
    target: str  #: Hungarian.


@cache
def _held_out() -> tuple[np.ndarray, np.ndarray]:
    """Which days and which numbers are for the test alone: (DAYS,) and (NUMBERS,), bool."""
    rng = np.random.default_rng(10)
    days, numbers = rng.random(DAYS) < 0.1, rng.random(NUMBERS) < 0.1
    # the words of which others are put together must be met in training
    numbers[:21] = numbers[30:100:10] = numbers[100::100] = False
    return days, numbers


def pairs(
    count: int, items: Sequence[int], seed: int | np.random.Generator, *, test: bool = False
) -> list[Pair]:
    """Draw texts: each a list of so many dates and numbers, half and half.

    `items` says how many things a text may list, each as likely. With `test` only the dates
    and numbers that are held out are drawn, else only the others.

    >>> pairs(1, [2], seed=4)[0].source
    'May 28, 2076 and five hundred and three'
    """
    rng = as_rng(seed)
    days, numbers = (np.flatnonzero(part == test) for part in _held_out())

    def thing() -> Pair:
        if rng.random() < 0.5:
            n = int(rng.choice(numbers))
            return Pair(number_in_words(n, "en"), number_in_words(n, "hu"))
        date = FIRST + datetime.timedelta(int(rng.choice(days)))
        weekday = bool(rng.random() < 0.5)
        return Pair(*(date_in_words(date, one, weekday) for one in ("en", "hu")))

    drawn = []
    for _ in range(expect_positive("count", count)):
        listed = [thing() for _ in range(int(rng.choice(items)))]
        source, target = zip(*listed, strict=True)
        drawn.append(Pair(list_in_words(source, "en"), list_in_words(target, "hu")))
    return drawn


#: What a Hungarian number is put together from, longer ones first: "öt" begins "ötven".
PARTS = ONES["hu"] + TENS["hu"] + "száz kétszáz tíz tizen húsz huszon".split()
PARTS.sort(key=lambda part: (-len(part), part))
_NAMES = {language: MONTHS[language] + WEEKDAYS[language] for language in MONTHS}
_PIECES = {"en": r"[^\W\d_]+|\S", "hu": "|".join([*_NAMES["hu"], *PARTS, "és", r"\S"])}
#: The words of each language: a word's index is its number. `Buckets` pads a source with 0.
WORDS = {
    "en": ["<pad>", *",-0123456789", "and", "hundred", *_NAMES["en"], *ONES["en"], *TENS["en"]],
    "hu": ["<start>", "<end>", *",.0123456789", "és", *_NAMES["hu"], *PARTS],
}
START, END = 0, 1  #: Indices of what stands before a translation, and behind it.


def split(text: str, language: str) -> list[str]:
    """Split a text into words, single digits and signs; Hungarian numbers into their parts.

    >>> split("1903. május 14. és hatvannyolc", "hu")
    ['1', '9', '0', '3', '.', 'május', '1', '4', '.', 'és', 'hatvan', 'nyolc']
    """
    return re.findall(_PIECES[language], text)


def encode(text: str, language: str) -> np.ndarray:
    """Number a text's words, (T,)."""
    words, known = split(text, language), WORDS[language]
    if unknown := [word for word in words if word not in known]:
        raise ValueError(f"text holds {unknown[0]!r}, which is no word of {language!r} here")
    return np.array([known.index(word) for word in words], dtype=int)


def decode(numbers: Iterable[int]) -> str:
    """Write the Hungarian text of these words, up to its end."""
    text, last = "", ""
    for number in itertools.takewhile(lambda number: number != END, numbers):
        word = WORDS["hu"][number]
        joined = word in ",." or (word.isdigit() and last.isdigit())
        joined |= word in PARTS and last in PARTS
        text += word if joined or not text else f" {word}"
        last = word
    return text


def batches(
    pairs: Sequence[Pair], batch_size: int, seed: Any, *, reverse_source: bool = False
) -> Buckets:
    """Cut texts into batches ((source, lengths), targets) of about the same length.

    source is (T_k, B), targets (T_q, B) with an end behind each and then -100, which
    `cross_entropy` leaves out. Reversed, the source is read from its end.
    """
    step = -1 if reverse_source else 1
    sources = [encode(pair.source, "en")[::step] for pair in pairs]
    targets = [np.append(encode(pair.target, "hu"), END) for pair in pairs]
    return Buckets(sources, targets, batch_size, fill=-100, seed=seed)
