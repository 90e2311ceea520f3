"""The texts of chapter 10 are CLDR's and num2words', and nothing of the test is in training."""

import datetime
import re

import numpy as np
import pytest
from babel.dates import format_date
from babel.lists import format_list
from num2words import num2words

from rnnlib.data import dates
from rnnlib.data.dates import FIRST, NUMBERS

LANGUAGES = "en", "hu"


@pytest.mark.parametrize("language", LANGUAGES)
def test_dates_are_those_of_cldr(language):
    for day in range(0, dates.DAYS, 11):  # 11 is prime to 7 and to the months
        date = FIRST + datetime.timedelta(days=day)
        for form, weekday in (("long", False), ("full", True)):
            want = format_date(date, form, locale=language)
            assert dates.date_in_words(date, language, weekday) == want


@pytest.mark.parametrize("language", LANGUAGES)
def test_numbers_are_those_of_num2words(language):
    for n in range(NUMBERS):
        want = num2words(n, lang=language)
        if language == "hu" and n > 100 and n % 100 == 2:
            # num2words has the form that stands before a noun, "két"; in counting it is "kettő",
            # as it has itself for 2, 12, 22 and all others
            assert want.endswith("két")
            want = want.removesuffix("két") + "kettő"
        assert dates.number_in_words(n, language) == want
    for n in (-1, NUMBERS):
        with pytest.raises(ValueError, match="n must lie in 0 … 999"):
            dates.number_in_words(n, language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_lists_are_those_of_cldr(language):
    for size in range(1, 6):
        items = list("abcde")[:size]
        assert dates.list_in_words(items, language) == format_list(items, locale=language)


def things(text):
    """The dates and numbers of an English text."""
    date = r"(?:\w+day, )?[A-Z]\w+ \d+, \d{4}"
    for one in re.findall(date, text):
        yield re.sub(r"^\w+day, ", "", one)
    rest = re.sub(date, ",", text)
    for one in re.split(r",(?: and)?| and (?=,)|(?<!hundred) and ", rest):
        if one.strip():
            yield one.strip()


def test_nothing_that_a_test_lists_is_in_a_training_text():
    train, test = (dates.pairs(6000, [1, 2, 3], seed=1, test=part) for part in (False, True))
    known, held_out = (
        {one for pair in part for one in things(pair.source)} for part in (train, test)
    )
    assert len(known) > 5000 and len(held_out) > 3000
    assert not known & held_out
    assert len([one for one in held_out if one[0].islower()]) > 50, "numbers too"


def test_every_word_of_the_test_is_met_in_training():
    train, test = (dates.pairs(6000, [1], seed=2, test=part) for part in (False, True))
    words = [
        {word for pair in part for word in re.findall("[A-Za-z]+", pair.source)}
        for part in (train, test)
    ]
    assert words[1] <= words[0]


def test_a_text_lists_as_many_things_as_asked():
    for count in (1, 2, 5):
        for pair in dates.pairs(50, [count], seed=3):
            assert len(list(things(pair.source))) == count


def test_the_same_seed_gives_the_same_texts():
    assert dates.pairs(20, [1, 2], seed=5) == dates.pairs(20, [1, 2], seed=5)
    assert dates.pairs(20, [1, 2], seed=5) != dates.pairs(20, [1, 2], seed=6)


def test_words_are_enough_and_unknown_ones_are_named():
    for pair in dates.pairs(500, [1, 2, 3], seed=7):
        assert dates.decode(dates.encode(pair.target, "hu")) == pair.target
        assert (dates.encode(pair.source, "en") > 0).all()
    for number in range(NUMBERS):
        dates.encode(dates.number_in_words(number, "en"), "en")
        in_hungarian = dates.number_in_words(number, "hu")
        assert dates.decode(dates.encode(in_hungarian, "hu")) == in_hungarian
    with pytest.raises(ValueError, match="text holds 'quarter', which is no word of 'en' here"):
        dates.encode("two and quarter", "en")
    for words in dates.WORDS.values():
        assert len(set(words)) == len(words)


def test_a_number_is_split_where_its_parts_meet():
    assert dates.split("hétszázhuszonkettő", "hu") == ["hét", "száz", "huszon", "kettő"]
    assert dates.split("kilencszázkilencvenkilenc", "hu") == "kilenc száz kilencven kilenc".split()
    assert dates.split("twenty-one", "en") == ["twenty", "-", "one"]


def test_batches_hold_each_text_once_and_can_be_read_from_the_end():
    drawn = dates.pairs(30, [1, 2], seed=8)
    both = [dates.batches(drawn, 8, seed=0, reverse_source=back) for back in (False, True)]
    met = []
    for ((x, lengths), y), ((back, _), other) in zip(*both, strict=True):
        np.testing.assert_array_equal(y, other)
        for b, length in enumerate(lengths):
            np.testing.assert_array_equal(x[:length, b], back[:length, b][::-1])
            source = [dates.WORDS["en"][k] for k in x[:length, b]]
            met.append((source, dates.decode(y[:, b][y[:, b] >= 0])))
    assert sorted(met) == sorted((dates.split(pair.source, "en"), pair.target) for pair in drawn)
