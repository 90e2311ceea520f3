"""Decoding: greedy, sampling, beams and CTC, each against a search through all there is."""

import itertools
import math
from collections import namedtuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnlib import (
    LSTM,
    DotAttention,
    Embedding,
    Linear,
    beam_search,
    ctc_best_path,
    ctc_collapse,
    ctc_loss,
    ctc_prefix_beam,
    draw,
    greedy,
    log_softmax,
    sample,
    softmax,
)

CONFIGURATIONS = 256
# what chi-square exceeds in one of a thousand tries, by degrees of freedom
CHI_SQUARE = {2: 13.82, 3: 16.27, 4: 18.47, 15: 37.70}


def random_model(seed, V, spread=1.5):
    """A network whose next token depends on all that was written; its state is a number."""
    table = log_softmax(spread * np.random.default_rng(seed).standard_normal((9973, V)))

    def step(tokens, state):
        state = (state * 31 + tokens[:, None] + 1) % len(table)
        return table[state[:, 0]], state

    return step


def begin(B=1):
    return np.zeros((B, 1), dtype=int)


def beam(step, state, start, max_length, **more):
    """The beam of one sequence."""
    [found] = beam_search(step, state, [start], max_length, **more)
    return found


def log_probability(step, tokens, start=0):
    """Of tokens that somebody wrote, asked one after the other."""
    total, state = 0.0, begin()
    for before, token in itertools.pairwise((start, *tokens)):
        log_p, state = step(np.array([before]), state)
        total += log_p[0, token]
    return total


def everything(V, max_length, end):
    """All that can be written: up to the end token, or to the greatest length."""
    for length in range(1, max_length + 1):
        for tokens in itertools.product(range(V), repeat=length):
            if end in tokens[:-1] or (length < max_length and tokens[-1] != end):
                continue
            yield tokens


def upto(tokens, end):
    """One column of what greedy or sample wrote, to its end token."""
    tokens = tuple(int(token) for token in tokens)
    return tokens[: tokens.index(end) + 1] if end in tokens else tokens


# greedy and beam


def test_greedy_takes_the_likeliest_token_of_every_step_in_each_sequence():
    for seed in range(40):
        rng = np.random.default_rng(seed)
        V, B = int(rng.integers(2, 6)), int(rng.integers(1, 5))
        step, start = random_model(seed, V), rng.integers(V, size=B)
        end = int(rng.integers(V)) if seed % 2 else None
        written = greedy(step, begin(B), start, max_length=7, end=end)
        assert written.shape[1] == B
        for b in range(B):
            tokens, state, before = [], begin(), start[b : b + 1]
            while len(tokens) < 7 and (not tokens or tokens[-1] != end):
                log_p, state = step(before, state)
                before = log_p.argmax(axis=-1)
                tokens.append(int(before[0]))
            assert upto(written[:, b], end) == tuple(tokens)
            assert (written[len(tokens) :, b] == end).all()
        longest = max(len(upto(written[:, b], end)) for b in range(B))
        assert len(written) == longest == (longest if end is not None else 7)


def test_a_beam_of_one_is_greedy():
    for seed in range(CONFIGURATIONS):
        rng = np.random.default_rng(seed)
        V, max_length = (int(size) for size in rng.integers([2, 1], [7, 9]))
        step, start = random_model(seed, V), int(rng.integers(V))
        end = int(rng.integers(V)) if seed % 3 else None
        [only] = beam(
            step,
            begin(),
            start,
            max_length,
            width=1,
            end=end,
            length_penalty=float(rng.choice([0.0, 0.6, 1.0])),
        )
        written = greedy(step, begin(), [start], max_length, end=end)
        assert only.tokens == upto(written[:, 0], end)
        assert only.log_p == pytest.approx(log_probability(step, only.tokens, start), rel=1e-12)


@pytest.mark.parametrize("length_penalty", [0.0, 0.6, 1.0, 2.0])
@pytest.mark.parametrize("end", [None, 0, 2])
def test_a_full_beam_is_a_search_through_everything(length_penalty, end):
    V, max_length = 3, 4
    for seed in range(CONFIGURATIONS // 12 + 1):
        step = random_model(seed, V)
        want = [(t, log_probability(step, t)) for t in everything(V, max_length, end)]
        want.sort(key=lambda pair: -pair[1] / len(pair[0]) ** length_penalty)
        found = beam(
            step,
            begin(),
            0,
            max_length,
            width=V**max_length,
            end=end,
            length_penalty=length_penalty,
        )
        assert [h.tokens for h in found] == [tokens for tokens, _ in want]
        np.testing.assert_allclose([h.log_p for h in found], [p for _, p in want], rtol=1e-12)
        assert sum(math.exp(h.log_p) for h in found) == pytest.approx(1.0)


@settings(max_examples=60, deadline=None)
@given(
    V=st.integers(1, 6),
    max_length=st.integers(1, 7),
    width=st.integers(1, 9),
    penalty=st.sampled_from([0.0, 0.5, 1.0]),
    ends=st.booleans(),
    seed=st.integers(0, 10_000),
)
def test_any_beam_keeps_different_answers_in_order_with_their_true_probabilities(
    V, max_length, width, penalty, ends, seed
):
    step, end = random_model(seed, V), 0 if ends else None
    found = beam(step, begin(), 0, max_length, width=width, end=end, length_penalty=penalty)
    assert 1 <= len(found) <= width
    assert len({h.tokens for h in found}) == len(found)
    assert {h.tokens for h in found} <= set(everything(V, max_length, end))
    scores = [h.log_p / len(h.tokens) ** penalty for h in found]
    assert scores == sorted(scores, reverse=True)
    for h in found:
        assert h.log_p == pytest.approx(log_probability(step, h.tokens), rel=1e-12, abs=1e-12)


def beam_by_definition(step, V, max_length, width, end, length_penalty):
    """The likeliest of all that grows out of the last beam; what ends is kept apart from it."""
    beam, complete = [()], []
    for _ in range(max_length):
        grown = [(*tokens, k) for tokens in beam for k in range(V)]
        kept = sorted(grown, key=lambda t: -log_probability(step, t))[:width]
        complete += [tokens for tokens in kept if tokens[-1] == end]
        beam = [tokens for tokens in kept if tokens[-1] != end]
    return sorted(
        complete + beam, key=lambda t: -log_probability(step, t) / len(t) ** length_penalty
    )[:width]


def test_a_narrow_beam_keeps_what_its_definition_says_under_every_length_penalty():
    compared = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        V, max_length, width = (int(size) for size in rng.integers([2, 2, 2], [5, 6, 5]))
        step = random_model(seed, V)
        beams = []
        for penalty in [0.0, 0.5, 1.0, 3.0]:
            beams.append(beam_by_definition(step, V, max_length, width, 0, penalty))
            found = beam(step, begin(), 0, max_length, width=width, end=0, length_penalty=penalty)
            assert [h.tokens for h in found] == beams[-1]
        compared += len({tuple(sorted(beam)) for beam in beams}) > 1
    assert compared > 10, "the penalty hardly ever decided what stays"


def test_a_finished_sentence_that_beats_the_answer_is_not_let_go():
    """After one word two longer beginnings look better; what they lead to is much worse."""
    p = np.zeros((5, 5))
    p[1, [0, 2]] = 0.4, 0.6  # at once the end, with a mean log p of -0.92, or token 2
    p[2, [3, 4]] = 0.5, 0.5  # mean log p so far: -0.60 each
    p[3, 0] = p[4, 0] = 0.01  # and with the end: -1.94

    def step(tokens, state):
        with np.errstate(divide="ignore"):
            return np.log(p)[tokens], state

    for width in (2, 3, 5):
        found = beam(step, None, 1, 5, width=width, end=0, length_penalty=1.0)
        assert [h.tokens for h in found[:2]] == [(0,), (2, 3, 0)]


def test_a_batch_of_beams_is_each_sequence_on_its_own():
    """Some sequences are over long before others; their states are those of their own rows."""
    lengths = set()
    for seed in range(60):
        rng = np.random.default_rng(seed)
        V, max_length, width, B = (int(n) for n in rng.integers([2, 1, 1, 0], [6, 9, 6, 5]))
        step, start = random_model(seed, V, spread=3.0), rng.integers(V, size=B)
        state, end = rng.integers(9973, size=(B, 1)), 0 if seed % 4 else None
        settings = {"width": width, "end": end, "length_penalty": float(rng.choice([0.0, 1.0]))}
        found = beam_search(step, state, start, max_length, **settings)
        assert len(found) == B
        for b in range(B):
            alone = beam(step, state[b : b + 1], start[b], max_length, **settings)
            assert [h.tokens for h in found[b]] == [h.tokens for h in alone]
            np.testing.assert_allclose(
                [h.log_p for h in found[b]], [h.log_p for h in alone], rtol=1e-12
            )
            lengths.add(len(alone[0].tokens))
    assert len(lengths) > 5


def test_a_search_stops_once_nothing_open_can_be_better():
    """The end has probability 0.9 at every step, and what goes on only gets less likely."""
    asked = []

    def step(tokens, state):
        asked.append(len(tokens))
        return np.log(np.array([[0.9, 0.06, 0.04]] * len(tokens))), state

    for penalty, steps in [(0.0, 2), (1.0, 30)]:
        asked.clear()
        found = beam(step, None, 1, 50, width=2, end=0, length_penalty=penalty)
        assert found[0].tokens == (0,)
        assert len(asked) <= steps


def test_a_wider_beam_finds_likelier_answers_than_greedy():
    best = {
        width: np.mean(
            [beam(random_model(seed, 5), begin(), 0, 8, width=width)[0].log_p for seed in range(60)]
        )
        for width in [1, 2, 8]
    }
    assert best[1] + 0.3 < best[2] < best[8] - 0.1


def test_length_penalty_decides_between_a_short_and_a_long_answer():
    """To end at once has probability 0.4; four steps that are likelier each, 0.384."""
    p = np.array([[0.4, 0.6], [0.2, 0.8], [0.2, 0.8], [1.0, 0.0]])

    def step(tokens, state):
        with np.errstate(divide="ignore"):
            return np.log(p)[state[:, 0]], state + 1

    short, *_ = beam(step, begin(), 1, 4, width=4, end=0)
    long, *_ = beam(step, begin(), 1, 4, width=4, end=0, length_penalty=1.0)
    assert (short.tokens, long.tokens) == ((0,), (1, 1, 1, 0))
    assert math.exp(short.log_p) == pytest.approx(0.4)
    assert math.exp(long.log_p) == pytest.approx(0.384)


def test_tokens_that_cannot_be_are_never_written():
    """A step may rule tokens out; a beam wider than what is left stays smaller."""
    allowed = np.log([[1e-300, 0.5, 0.5], [0.5, 1e-300, 0.5], [0.4, 0.6, 1e-300]])
    allowed[allowed < -600] = -np.inf
    found = beam(lambda tokens, state: (allowed[tokens], state), None, 0, 3, width=50)
    assert len(found) == 8
    assert all(a != b for h in found for a, b in itertools.pairwise((0, *h.tokens)))
    for seed in range(20):
        path = sample(lambda t, s: (allowed[t], s), None, [0], 30, temperature=9.0, seed=seed)[:, 0]
        assert (path[1:] != path[:-1]).all()


class Translator:
    """A decoder of layers with attention; what it remembers is laid out in every way there is."""

    def __init__(self, V, H, seed):
        rng = np.random.default_rng(seed)
        self.embedding, self.lstm = Embedding(V, 3, seed=rng), LSTM(3, H, num_layers=2, seed=rng)
        self.attention, self.out = DotAttention(), Linear(2 * H, V, seed=rng)
        for parameter in self.lstm.parameters() + self.out.parameters():
            parameter.data *= 4.0  # decided enough for the order of words to matter

    def __call__(self, tokens, state):
        (h, c), memory, lengths = state
        y, (h, c) = self.lstm(self.embedding(tokens[None]), (h, c))
        context, _ = self.attention(y, memory, memory, lengths)
        log_p = log_softmax(self.out(np.concatenate([y, context], axis=-1)))[0]
        return log_p, ((h, c), memory, lengths)


def test_every_hypothesis_of_a_beam_goes_on_with_its_own_state():
    V, H = 6, 5
    for seed in range(10):
        rng = np.random.default_rng(seed)
        step = Translator(V, H, seed)
        h, c, memory = (rng.standard_normal(shape) for shape in [(2, 1, H), (2, 1, H), (4, 1, H)])
        state = ((h, c), memory, np.array([3]))
        found = beam(step, state, 1, 5, width=4, end=0)

        def from_the_start(tokens, written, step=step, state=state):
            """The same network without a memory: it reads again all that was written."""
            written = np.concatenate([written, tokens[:, None]], axis=1)
            rows = []
            for row in written:
                log_p, again = None, state
                for token in row:
                    log_p, again = step(np.array([token]), again)
                rows.append(log_p[0])
            return np.stack(rows), written

        want = beam(from_the_start, np.zeros((1, 0), dtype=int), 1, 5, width=4, end=0)
        assert [f.tokens for f in found] == [w.tokens for w in want]
        np.testing.assert_allclose([f.log_p for f in found], [w.log_p for w in want], rtol=1e-10)


def test_a_state_may_be_nothing_a_list_a_vector_or_a_named_tuple():
    State = namedtuple("State", ["code", "parts"])
    inner = random_model(0, 4)

    def step(tokens, state):
        assert isinstance(state, State) and isinstance(state.parts, list)
        assert state.parts[0] is None and state.parts[1].shape == (len(tokens),)
        log_p, code = inner(tokens, state.code)
        np.testing.assert_array_equal(state.parts[1] % 9973, state.code[:, 0])
        return log_p, State(code, [None, code[:, 0].copy()])

    state = State(begin(), [None, np.zeros(1, dtype=int)])
    assert beam(step, state, 0, 6, width=5) == beam(inner, begin(), 0, 6, width=5)


# sampling


def chi_square(counts, p):
    expected = counts.sum() * p
    return float(((counts - expected) ** 2 / expected).sum())


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_drawn_frequencies_fit_softmax_of_logits_over_temperature(temperature, dtype):
    logits = np.array([1.0, -0.5, 2.0, 0.3, -np.inf, 0.0], dtype)
    draws = draw(np.tile(logits, (20_000, 1)), temperature, seed=0)
    counts = np.bincount(draws, minlength=6)
    p = softmax(logits / temperature)
    assert counts[4] == 0
    there = p > 0
    assert chi_square(counts[there], p[there]) < CHI_SQUARE[4]
    for wrong in [0.9, 1.1]:  # the test has the power to tell a temperature 10% off
        q = softmax(logits / (wrong * temperature))
        assert chi_square(counts[there], q[there]) > 1.5 * CHI_SQUARE[4]


@pytest.mark.parametrize("temperature", [0.7, 1.0])
def test_sampled_sequences_have_the_frequencies_of_their_probabilities(temperature):
    V, B = 4, 20_000
    step = random_model(3, V, spread=0.7)
    tokens = sample(step, begin(B), np.zeros(B, int), 2, temperature=temperature, seed=1)
    counts = np.bincount(tokens[0] * V + tokens[1], minlength=V * V)
    log_p, state = step(np.array([0]), begin())
    first = softmax(log_p[0] / temperature)
    second, _ = step(np.arange(V), state.repeat(V, axis=0))
    p = (first[:, None] * softmax(second / temperature)).ravel()
    assert chi_square(counts, p) < CHI_SQUARE[15]


def test_sampling_without_heat_is_greedy():
    for seed in range(60):
        rng = np.random.default_rng(seed)
        V, B = int(rng.integers(2, 7)), int(rng.integers(1, 5))
        step, start = random_model(seed, V), rng.integers(V, size=B)
        end = int(rng.integers(V)) if seed % 2 else None
        want = greedy(step, begin(B), start, 9, end=end)
        for temperature in [0.0, 1e-12]:
            got = sample(step, begin(B), start, 9, end=end, temperature=temperature, seed=seed)
            np.testing.assert_array_equal(got, want)
    assert draw(np.array([1.0, 3.0, 3.0]), temperature=0.0) == 1


def test_great_heat_makes_all_tokens_alike():
    logits = np.array([5.0, 0.0, -5.0])
    counts = np.bincount(draw(np.tile(logits, (9000, 1)), 1e6, seed=0))
    assert chi_square(counts, np.full(3, 1 / 3)) < CHI_SQUARE[2]


def test_a_seed_repeats_and_a_generator_goes_on():
    step, start = random_model(0, 5), np.zeros(3, int)
    one, two = (sample(step, begin(3), start, 20, seed=4) for _ in range(2))
    np.testing.assert_array_equal(one, two)
    rng = np.random.default_rng(4)
    np.testing.assert_array_equal(sample(step, begin(3), start, 20, seed=rng), one)
    assert (sample(step, begin(3), start, 20, seed=rng) != one).any()


@settings(max_examples=40, deadline=None)
@given(
    lead=st.lists(st.integers(0, 4), max_size=3).map(tuple),
    K=st.integers(1, 6),
    seed=st.integers(0, 2**32 - 1),
)
def test_a_drawn_class_has_the_shape_in_front_and_lies_inside(lead, K, seed):
    logits = np.random.default_rng(seed).standard_normal((*lead, 2 * K))[..., ::2]
    before = logits.copy()
    classes = draw(logits, seed=seed)
    assert classes.shape == lead
    assert ((classes >= 0) & (classes < K)).all()
    np.testing.assert_array_equal(logits, before)


@settings(max_examples=40, deadline=None)
@given(
    V=st.integers(1, 5),
    B=st.integers(0, 4),
    max_length=st.integers(1, 8),
    ends=st.booleans(),
    seed=st.integers(0, 10_000),
)
def test_what_is_written_has_the_shape_t_b_and_nothing_but_end_behind_the_end(
    V, B, max_length, ends, seed
):
    step, end = random_model(seed, V), V - 1 if ends else None
    start = np.zeros(B, dtype=int)
    for tokens in [
        greedy(step, begin(B), start, max_length, end=end),
        sample(step, begin(B), start, max_length, end=end, seed=seed),
    ]:
        assert 1 <= len(tokens) <= max_length
        assert tokens.shape[1] == B
        assert ends or len(tokens) == max_length
        for b in range(B):
            behind = tokens[len(upto(tokens[:, b], end)) :, b]
            assert (behind == end).all()
    assert not start.any()


# CTC


def every_path(logits, blank):
    """Labels and probability of each of the K^T paths of one sequence, summed by labels."""
    T, K = logits.shape
    y, p = softmax(logits), {}
    for path in itertools.product(range(K), repeat=T):
        labels = tuple(k for k, _ in itertools.groupby(path) if k != blank)
        p[labels] = p.get(labels, 0.0) + math.prod(y[t, k] for t, k in enumerate(path))
    return p


@settings(max_examples=100, deadline=None)
@given(path=st.lists(st.integers(0, 3), min_size=1, max_size=12), blank=st.integers(0, 3))
def test_collapsing_strikes_out_repeats_and_then_blanks(path, blank):
    want = [k for k, _ in itertools.groupby(path) if k != blank]
    assert ctc_collapse(path, blank) == want
    # any frame may last longer, and blanks may stand at both ends
    slow = [blank, *np.repeat(path, 3).tolist(), blank]
    assert ctc_collapse(slow, blank) == want


def test_best_path_is_the_likeliest_class_of_every_frame_collapsed():
    for seed in range(40):
        rng = np.random.default_rng(seed)
        T, B, K = (int(size) for size in rng.integers([1, 1, 2], [7, 4, 5]))
        logits, blank = rng.standard_normal((T, B, K)), int(rng.integers(K))
        lengths = rng.integers(0, T + 1, size=B)
        want = [
            [k for k, _ in itertools.groupby(logits[:n, b].argmax(-1).tolist()) if k != blank]
            for b, n in enumerate(lengths)
        ]
        assert ctc_best_path(logits, lengths, blank) == want


@pytest.mark.parametrize("T", [1, 2, 3, 4, 5])
@pytest.mark.parametrize(("K", "blank"), [(2, 0), (3, 0), (3, 2)])
def test_a_full_prefix_beam_sums_over_every_alignment(T, K, blank):
    for seed in range(4):
        logits = 1.5 * np.random.default_rng(seed).standard_normal((T, 1, K))
        want = every_path(logits[:, 0], blank)
        [found] = ctc_prefix_beam(logits, width=10_000, blank=blank)
        assert {h.tokens for h in found} == set(want)
        for h in found:
            assert math.exp(h.log_p) == pytest.approx(want[h.tokens], rel=1e-12)
            loss, _ = ctc_loss(logits, np.array([h.tokens], dtype=int), blank=blank)
            assert h.log_p == pytest.approx(-loss, rel=1e-12, abs=1e-12)
        assert [h.log_p for h in found] == sorted((h.log_p for h in found), reverse=True)
        assert sum(math.exp(h.log_p) for h in found) == pytest.approx(1.0)


@settings(max_examples=80, deadline=None)
@given(
    T=st.integers(0, 12),
    B=st.integers(0, 3),
    K=st.integers(1, 5),
    width=st.integers(1, 12),
    dtype=st.sampled_from([np.float32, np.float64]),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_prefix_beam_keeps_different_labels_in_order_and_never_claims_too_much(
    T, B, K, width, dtype, seed
):
    rng = np.random.default_rng(seed)
    wide = (2.0 * rng.standard_normal((T, 2 * B, K))).astype(dtype)
    logits, before, blank = wide[:, ::2], wide.copy(), int(rng.integers(K))
    results = ctc_prefix_beam(logits, width, blank=blank)
    assert len(results) == B
    for b, found in enumerate(results):
        assert 1 <= len(found) <= width
        assert len({h.tokens for h in found}) == len(found)
        assert [h.log_p for h in found] == sorted((h.log_p for h in found), reverse=True)
        assert all(k != blank for h in found for k in h.tokens)
        for h in found if T else []:
            loss, _ = ctc_loss(logits[:, b : b + 1], np.array([h.tokens], dtype=int), blank=blank)
            assert h.log_p <= -loss + 1e-5
    np.testing.assert_array_equal(wide, before)


def test_a_modest_prefix_beam_finds_likelier_labels_than_the_best_path():
    gained = []
    for seed in range(30):
        logits = np.random.default_rng(seed).standard_normal((12, 1, 4))
        [path], [[best, *_]] = ctc_best_path(logits), ctc_prefix_beam(logits, width=20)
        losses = [ctc_loss(logits, np.array([labels], int))[0] for labels in (path, best.tokens)]
        gained.append(losses[0] - losses[1])
    assert min(gained) >= 0.0
    assert np.mean(gained) > 0.3


@pytest.mark.parametrize("rubbish", [1e6, np.nan])
def test_frames_behind_the_lengths_change_nothing(rubbish):
    rng = np.random.default_rng(0)
    logits, lengths = rng.standard_normal((8, 3, 4)), np.array([8, 0, 5])
    dirty = logits.copy()
    dirty[np.arange(8)[:, None] >= lengths] = rubbish
    assert ctc_best_path(dirty, lengths) == ctc_best_path(logits, lengths)
    found = ctc_prefix_beam(dirty, 6, lengths)
    assert found == ctc_prefix_beam(logits, 6, lengths)
    for b, n in enumerate(lengths):
        [alone] = ctc_prefix_beam(logits[:n, b : b + 1], 6)
        assert [h.tokens for h in found[b]] == [h.tokens for h in alone]
        assert [h.log_p for h in found[b]] == pytest.approx([h.log_p for h in alone], rel=1e-12)
    assert found[1] == [((), 0.0)]


def test_a_class_that_cannot_be_is_not_among_the_labels():
    logits = np.random.default_rng(1).standard_normal((4, 1, 3))
    logits[..., 2] = -np.inf
    [found] = ctc_prefix_beam(logits, width=1000)
    assert {k for h in found for k in h.tokens} == {1}
    assert sum(math.exp(h.log_p) for h in found) == pytest.approx(1.0)


# refusals


def fixed(log_p):
    return lambda tokens, state: (np.asarray(log_p), state)


HALF = np.log([[0.5, 0.5]])
X = np.zeros((3, 2, 4))
NAN = np.where(np.arange(3)[:, None, None] == 1, np.nan, X)


@pytest.mark.parametrize(
    "write",
    [
        lambda step, **more: greedy(step, None, **{"start": [0], "max_length": 3} | more),
        lambda step, **more: sample(step, None, **{"start": [0], "max_length": 3} | more),
        lambda step, **more: beam_search(
            step, None, **{"start": [0], "max_length": 3, "width": 2} | more
        ),
    ],
    ids=["greedy", "sample", "beam"],
)
@pytest.mark.parametrize(
    ("log_p", "more", "message"),
    [
        (HALF, {"max_length": 0}, "max_length must be a whole number of at least 1, got 0"),
        (HALF, {"max_length": 2.0}, "max_length must be a whole number"),
        (HALF, {"start": 0.0}, "start has dtype float64, but integers"),
        (HALF, {"start": -1}, "start must lie in 0 … .*, but holds -1"),
        (HALF, {"start": [[0]]}, r"start has shape .*, but shape \((B|1),\) is needed"),
        (HALF, {"end": 2}, "end must lie in 0 … 1, but holds 2"),
        (HALF, {"end": -1}, "end must lie in 0 … 1, but holds -1"),
        (HALF[0], {}, r"log_p has shape \(2,\), but shape \(1, V\) is needed"),
        (HALF.repeat(2, axis=0), {}, r"log_p has shape \(2, 2\), but shape \(1, V\)"),
        (np.zeros((1, 2), int), {}, "log_p has dtype int64"),
        (HALF.astype(np.float16), {}, "log_p has dtype float16"),
        (HALF + 1.0, {}, "log_p must hold log probabilities, .* add up to 2.718"),
        (HALF + 1000.0, {}, "log_p must hold log probabilities, .* add up to inf"),
        (HALF * np.nan, {}, "log_p must hold log probabilities, .* add up to nan"),
        (HALF - np.inf, {}, "log_p holds a row without any possible token"),
        (HALF[:, :0], {}, "log_p holds a row without any possible token"),
    ],
)
def test_writing_names_what_does_not_fit(write, log_p, more, message):
    with pytest.raises(ValueError, match=message):
        write(fixed(log_p), **more)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: draw(np.array([1, 2])), "logits has dtype int64"),
        (lambda: draw(np.float64(1.0)), r"logits has shape \(\), but shape \(\.\.\., K\)"),
        (lambda: draw(np.array([1.0, np.nan])), "logits holds a row without a finite largest"),
        (lambda: draw(np.full((2, 3), -np.inf)), "logits holds a row without a finite largest"),
        (lambda: draw(np.array([1.0, np.inf])), "logits holds a row without a finite largest"),
        (lambda: draw(np.zeros((2, 0))), "logits holds a row without a finite largest"),
        (lambda: draw(HALF, -1.0), "temperature must be at least 0 and finite, got -1.0"),
        (lambda: draw(HALF, np.nan), "temperature must be at least 0 and finite, got nan"),
        (lambda: draw(HALF, np.inf), "temperature must be at least 0 and finite, got inf"),
        (lambda: sample(fixed(HALF), None, [0], 2, temperature=-1.0), "temperature must be"),
        (lambda: greedy(fixed(HALF), None, 0, 2), r"start has shape \(\), but shape \(B,\)"),
        (lambda: beam_search(fixed(HALF), None, 0, 2, width=1), r"start has shape \(\)"),
        (lambda: beam(fixed(HALF), None, 0, 2, width=0), "width must be a whole number"),
        (
            lambda: beam(fixed(HALF), None, 0, 2, width=1, length_penalty=-0.5),
            "length_penalty must be at least 0 and finite, got -0.5",
        ),
        (
            lambda: beam(fixed(HALF), np.zeros((4, 1)), 0, 2, width=2),
            r"state holds an array of shape \(4, 1\), but its last axis but one .* the 1 seq",
        ),
        (lambda: beam(fixed(HALF), (np.float64(1),), 0, 2, width=2), r"of shape \(\)"),
        (lambda: ctc_collapse([[1]]), r"path has shape \(1, 1\), but shape \(T,\)"),
        (lambda: ctc_collapse([0.5]), "path has dtype float64"),
        (lambda: ctc_prefix_beam(X, 0), "width must be a whole number of at least 1, got 0"),
    ],
)
def test_a_wrong_argument_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("decode", [ctc_best_path, lambda *a: ctc_prefix_beam(a[0], 3, *a[1:])])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((X[0],), r"logits has shape \(2, 4\), but shape \(T, B, K\) is needed"),
        ((X.astype(int),), "logits has dtype int64"),
        ((X.astype(np.float16),), "logits has dtype float16"),
        ((NAN,), "logits holds a frame without a finite largest score in sequence 0"),
        ((X + np.inf,), "logits holds a frame without a finite largest score"),
        ((X - np.inf, [0, 1]), "finite largest score in sequence 1"),
        ((X, [4, 3]), "input_lengths must lie in 0 … 3, but holds 4"),
        ((X, [3]), r"input_lengths has shape \(1,\), but shape \(2,\)"),
        ((X, [3.0, 3.0]), "input_lengths has dtype float64"),
        ((X, None, 4), "blank must lie in 0 … 3, but holds 4"),
        ((X[..., :0],), "blank must lie in"),
    ],
)
def test_reading_frames_names_what_does_not_fit(decode, arguments, message):
    with pytest.raises(ValueError, match=message):
        decode(*arguments)
