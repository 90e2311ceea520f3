"""Chapter 06: what each gate mends, how far the gradient reaches, how long a memory lasts."""

import json
import math
import zlib
from pathlib import Path

import numpy as np
import pytest

import rnnlib
from rnnlib.data import storybook

ROOT = Path(__file__).resolve().parents[2]
FIGURES = ROOT / "theme" / "figures"


def test_each_repair_mends_a_fault_that_the_one_before_left(chapter):
    names = chapter.names
    faded, *others = (left.item() for left in names.left.values())
    assert faded < 0.001 and others == pytest.approx([1, 1, 1])
    rng = np.random.default_rng(7)
    for several, solved in ((False, [False, False, True, True]), (True, [False] * 3 + [True])):
        values, marks, asked = names.streams(50, 2000, several, rng)
        errors = [names.error_left(one, asked) for one in names.held(values, marks).values()]
        for error, is_solved in zip(errors, solved, strict=True):
            assert error < 1e-6 if is_solved else error > 0.8 * asked.std()


def test_the_step_is_rnnlib_s_on_other_numbers(chapter):
    rng = np.random.default_rng(0)
    for B, I, H in ((1, 1, 1), (2, 3, 5), (4, 2, 3)):
        shapes = (B, I), (B, H), (B, H), (4 * H, I), (4 * H, H), (4 * H,)
        arrays = [rng.normal(size=shape) for shape in shapes]
        h_t, c_t, mine = chapter.names.lstm_step(*arrays)
        (h, c), cache = rnnlib.lstm_step(*arrays)
        np.testing.assert_allclose(h_t, h, rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(c_t, c, rtol=1e-12, atol=1e-14)
        dh, dc = rng.normal(size=(2, B, H))
        got = chapter.names.lstm_step_backward(dh, dc, mine, arrays[3], arrays[4])
        want = rnnlib.lstm_step_backward(dh, dc, cache)
        for one, other in zip(got, want, strict=False):
            np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-12)


def test_an_untrained_lstm_forgets_unless_its_gate_is_open(chapter):
    (ax,) = chapter.axes["lag"]
    plain, usual, shut, half, wide = (line.get_ydata() for line in ax.lines)
    assert max(plain[99], usual[99], shut[99]) < 1e-14
    assert 1e-9 < half[99] < 1e-4
    assert wide[99] > 0.1
    slope = np.polyfit(range(20, 100), np.log(shut[20:]), 1)[0]
    assert -1.0 < slope < math.log(0.5) + 0.3, "about a half at each step"


@pytest.mark.parametrize("bias", [-1.0, 0.0, 2.0, 5.0])
def test_the_half_life_is_what_the_formula_says(chapter, bias):
    zero, c = np.zeros((1, 1)), np.ones((1, 1))
    weights = np.zeros((4, 1)), np.zeros((4, 1)), np.array([0.0, bias, 0.0, 0.0])
    for _ in range(20):
        _, c, _ = chapter.names.lstm_step(zero, zero, c, *weights)
    formula = math.log(0.5) / math.log(chapter.names.sigmoid(bias))
    assert 20 * math.log(0.5) / math.log(c.item()) == pytest.approx(formula)


def test_one_more_in_the_bias_is_e_times_longer():
    five, six, seven = (math.log(2) / math.log1p(math.exp(-b)) for b in (5, 6, 7))
    assert six / five == pytest.approx(math.e, rel=0.01)
    assert seven / six == pytest.approx(math.e, rel=0.01)


def test_every_lstm_adds_over_a_hundred_steps_and_no_plain_network_does(chapter):
    lstm, plain = (chapter.experiment[f"adding {kind}"] for kind in ("LSTM", "RNN"))
    assert max(lstm["error"]) < 0.01 and max(lstm["updates"]) <= 2000
    assert min(plain["error"]) > 0.1 and plain["updates"] == [None] * 3
    assert len(plain["tuning"]["tried"]) >= len(lstm["tuning"]["tried"])
    relu = chapter.names.identity
    assert relu["T"] == 100 and max(relu["test"]) < 0.02, "and ReLUs with the identity do"
    assert max(relu["updates"]) <= max(lstm["updates"])


def test_two_gates_are_missed_and_the_other_changes_overlap(chapter):
    found = {name: each["error"] for name, each in chapter.experiment["variants"].items()}
    full = found.pop("full")
    assert len(found) == 8 and max(full) < 0.002
    apart = {name for name, errors in found.items() if min(errors) > max(full)}
    assert apart == {"no input gate", "no forget gate"}
    stuck = [error for error in found["no forget gate"] if error > 0.9 / 12]
    assert len(stuck) == 2
    tried = [each["tuning"]["tried"] for each in chapter.experiment["variants"].values()]
    assert len({len(rates) for rates in tried}) == 1, "the same cost for all"


def test_the_story_is_remembered_at_every_distance(chapter):
    shares = np.array(chapter.names.told["LSTM"]["accuracy"])
    assert len(shares) == 3 and shares.min() > 0.78
    assert np.ptp(shares, axis=0).max() < 0.05
    (ax,) = chapter.axes["story"]
    lstm, plain = (line.get_ydata() for line in ax.lines)
    assert lstm[-1] > plain[-1] + 0.2
    np.testing.assert_allclose(lstm, shares.mean(axis=0))


def test_the_share_is_one_where_the_reason_decides_and_zero_where_it_does_not(chapter, monkeypatch):
    names, seen = chapter.names, []

    def read(layer, table, words):
        so = words.index("so")
        reason, filler = " ".join(words[:so]), " ".join(words[so + 1 : -len(names.FRAME)])
        held = [zlib.crc32(text.encode()) % 97 for text in (reason, filler, reason + filler)]
        seen.append(reason)
        c, t = np.tile(held, (len(words), 1)).astype(float), np.arange(len(words))
        return {
            "c": c,
            "i": np.tile((t <= so)[:, None], 3),
            "f": np.ones_like(c),
            "o": np.tile((t >= len(words) - len(names.FRAME))[:, None], 3),
        }

    monkeypatch.setitem(names.probe.__globals__, "read", read)
    share, gates = names.probe(None, None)
    assert len(seen) == 18 * 12 and len(set(seen)) == 18
    np.testing.assert_allclose(share[:2], [1, 0], atol=1e-12)
    assert 0 < share[2] < 0.3
    np.testing.assert_allclose(gates[..., 0], [[1, 0, 0], [1, 1, 1], [0, 0, 1]])


def test_the_unit_holds_the_reason_and_is_the_one_that_the_figure_begins_with(chapter):
    names, unit = chapter.names, chapter.names.unit
    figure = json.loads((FIGURES / "lstm.json").read_text(encoding="utf-8"))
    assert figure["tuning"]["unit"] == unit + 1
    assert names.share[unit] > 0.9 and np.median(names.share) < 0.1
    rng, held = np.random.default_rng(7), []
    for reason in storybook.TOLD:  # other and longer fillers
        told = [[*reason.split(), "so", *storybook.filler(16, rng), *names.FRAME] for _ in range(3)]
        ends = [names.read(names.reader, names.table, words)["c"][-6, unit] for words in told]
        held.append((np.mean(ends), np.ptp(ends)))
    means, spreads = np.transpose(held)
    assert means.std() > 3 * spreads.mean(), "reasons differ more than fillers"


def test_the_unit_writes_in_the_reason_keeps_and_shows_at_the_end(chapter):
    names = chapter.names
    i, f, o = names.gates[:, :, names.unit]  # each over reason, filler, frame
    assert i[0] > 0.3 and i[1] < 0.15
    assert f[1] > 0.95
    assert o[2] > 0.7 > o[1] + 0.2
    every = names.gates.mean(axis=2)
    assert every[0, 1] > 0.8 * every[0, [0, 2]].max() and 0.4 < every[1, 1] < 0.6
    c, reason = names.inside["c"][:, names.unit], 1 + names.words.index("so")
    filler = c[reason : -len(names.FRAME)]
    assert np.ptp(filler) < 0.3 * abs(np.diff(c[:reason], prepend=0)).sum()
    (*_, ax) = chapter.axes["gates"]
    drawn = ax.images[0].get_array() if ax.images else ax.collections[0].get_array()
    np.testing.assert_allclose(np.ravel(drawn), c)


def test_the_writer_of_chapter_04_holds_longer_than_it_uses(chapter):
    names = chapter.names
    apart, more = (
        [one[first - 1 : last].mean() for first, last in names.spans]
        for one in (names.apart, names.more)
    )
    assert np.all(np.diff(apart) < 0) and apart[3] > 0.3
    assert more[0] > 1 and more[2] > 0.05 > more[3] and abs(more[4]) < 0.01
    long = names.half_lives > 30
    assert np.median(names.half_lives) < 1 and 5 <= long.sum() <= 15


def test_pieces_that_begin_alike_lose_nothing_when_beginnings_are_exchanged(chapter, monkeypatch):
    monkeypatch.chdir(ROOT / "chapters")
    begin, *ends = np.random.default_rng(3).integers(0, 90, (3, 8))

    def reads(begins):
        code = np.concatenate([*begins[0], ends[0][:5], *begins[1], ends[1][:5]])
        monkeypatch.setattr(chapter.names.text, "docstrings", lambda: ["", "", ""])
        monkeypatch.setattr(chapter.names.text, "without_repeats", lambda told: told)
        monkeypatch.setattr(chapter.names.text, "split", lambda told: told)
        monkeypatch.setattr(chapter.names.text, "encode", lambda told: code)
        return chapter.names.exchanged(T=4, before=8, N=2)

    f, apart, more = reads([[begin], [begin]])
    assert f.shape == (12, 2, 192) and apart.max() < 1e-9 and abs(more).max() < 1e-9
    f, apart, more = reads([[begin], [begin[::-1]]])
    assert (apart > 0.1).all() and more.any()


# The quiz


def test_answer_1(chapter):
    c_t = 0.5 * 2 + 1 * -0.5
    assert c_t == 0.5 and 0.4 < math.tanh(c_t) < 0.5


def test_answer_4():
    f = math.sqrt(0.5)
    assert f == pytest.approx(0.71, abs=0.005) and f**2 == pytest.approx(0.5)
    assert f**8 == pytest.approx(1 / 16)
