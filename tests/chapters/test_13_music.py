"""Chapter 13: what padding does to a score, who beats whom, and what the voices do."""

from pathlib import Path

import numpy as np
import pytest

import rnnlib
from rnnlib.data import harmony, midi, music

ROOT = Path(__file__).resolve().parents[2]


def test_the_cells_are_where_the_table_of_2014_is_or_better(chapter):
    found, counted = chapter.experiment["cells"], chapter.experiment["counted"]
    for name, most in {"tanh": 8.80, "LSTM": 8.65, "GRU": 8.55}.items():
        scores = found[name]["test"]
        assert len(scores) == 3 and np.mean(scores) <= most
        assert max(scores) - min(scores) < 0.15
        assert 20_000 < found[name]["parameters"] < 28_000
    assert 10.4 < counted["Markov"]["test"] < 10.5 and 11.0 < counted["marginals"]["test"] < 11.1
    assert max(found["GRU"]["test"] + found["LSTM"]["test"]) < min(found["tanh"]["test"])
    assert len({len(entry["tuning"]["tried"]) for entry in found.values()}) == 1, "equal cost"


def test_padding_makes_a_record_and_the_network_no_better(chapter):
    wrong, right = chapter.experiment["padding"], chapter.experiment["cells"]["GRU"]["test"]
    assert max(wrong["one array"]) < max(wrong["batches of 8"]) < min(right) - 2
    assert min(wrong["in truth"]) > max(right) - 0.1
    assert 0.5 < wrong["padding"] < 0.7


def test_the_masked_loss_leaves_the_padding_out(chapter):
    rng = np.random.default_rng(0)
    s, v = rng.normal(size=(5, 2, 88)), (rng.random((5, 2, 88)) < 0.05) * 1.0
    v[3:, 0] = -1
    loss, ds = chapter.names.masked(s, v)
    frames = np.concatenate([v[:3, 0], v[:, 1]]), np.concatenate([s[:3, 0], s[:, 1]])
    assert loss == pytest.approx(rnnlib.bernoulli_nll(frames[1], frames[0])[0])
    assert not ds[3:, 0].any() and ds[:3, 0].all()


def test_the_frames_gradient_is_that_of_differences(chapter):
    names, rng = chapter.names, np.random.default_rng(1)
    model = names.Frames(rnnlib.GRU, 3, names.training, seed=0)
    for parameter in model.parameters():
        parameter.data = parameter.data.astype(np.float64)
    x, v = ((rng.random((4, 2, 88)) < 0.05) * 1.0 for _ in range(2))
    v[2:, 1] = -1
    model.zero_grad()
    model.backward(names.masked(model(x), v)[1])
    for name in ("rnn.weight_hh_l0", "linear.bias"):
        parameter = dict(model.named_parameters())[name]
        at = rnnlib.numerical_gradient(lambda: names.masked(model(x), v)[0], parameter.data)
        np.testing.assert_allclose(parameter.grad, at, atol=1e-6, err_msg=name)


def test_no_tune_stands_on_both_sides(chapter):
    names = chapter.names
    parts = names.parts
    assert names.shared(parts["test"], parts["train"]) == 0
    assert names.shared(parts["validation"], parts["train"]) == 0
    assert not any(np.array_equal(names.first, piece) for piece in parts["train"]), "it is shown"
    told = music.split(names.told)
    assert names.shared(told[2], told[0]) > 0.2, "what the drop is for"
    assert chapter.experiment["split"]["known"] > 30


def test_the_code_of_the_voices_goes_both_ways(chapter):
    names = chapter.names
    for piece in list(names.pieces.values())[:20]:
        code = names.encode(piece)
        assert code.min() > names.END and code.max() < names.V
        np.testing.assert_array_equal(names.decode(code), piece)
        v = np.searchsorted(names.STARTS, code, side="right") - 1
        assert (v.reshape(-1, 4) == np.arange(4)).all(), "each number says whose note it is"


def test_voices_one_after_the_other_are_far_ahead_of_coins_and_n_grams(chapter):
    found = chapter.experiment
    assert max(found["choir"]["test"]) < found["ngram"]["test"] - 0.3
    assert max(found["choir"]["test"]) < min(found["coins"]["test"]) - 2
    assert found["ngram"]["test"] < found["voices"]["test"] - 1
    stored = chapter.names.per_beat(chapter.names.choir, chapter.names.codes["test"])
    assert stored == pytest.approx(found["choir"]["test"][0], abs=0.05)


def test_what_is_written_obeys_start_tune_and_ranges(chapter):
    names = chapter.names
    start, tune = names.first[:3], names.first[:6, 0].tolist()
    piece = names.write(names.choir, 12, start=start, seed=3)
    np.testing.assert_array_equal(piece[:3], start)
    assert (piece >= names.LOW).all() and (piece < names.LOW + names.SIZES).all()
    below = names.write(names.choir, 6, tune=tune, seed=4)
    assert below[:, 0].tolist() == tune and below.shape == (6, 4)
    greedy = [names.write(names.choir, 4, temperature=0, seed=seed).tolist() for seed in (0, 1)]
    assert greedy[0] == greedy[1]


def test_the_teachers_marks(chapter):
    """Order and triads nearly as Bach has them; parallels several times as often."""
    marks = chapter.experiment["marks"]
    assert marks["network"][3] > 0.95 and marks["alone"][3] < 0.65
    assert marks["network"][4] > 0.6 and marks["alone"][4] < 0.2
    for k in (0, 1):
        assert 3 * marks["Bach"][k] < marks["cool"][k] < marks["network"][k]
        assert abs(marks["network"][k] - marks["shuffled"][k]) < 1, "hardly better than chance"


def test_pieces_with_known_tunes_are_easier_for_the_marginals_too(chapter):
    counted, gru = chapter.experiment["counted"]["marginals"], chapter.experiment["cells"]["GRU"]
    gaps = [np.mean(one["new tune"]) - np.mean(one["known tune"]) for one in (counted, gru)]
    assert 0.25 < gaps[0] < gaps[1] < gaps[0] + 0.1


def test_each_learning_rate_lies_inside_its_grid(chapter):
    found = chapter.experiment
    for entry in (*found["cells"].values(), found["coins"]):
        rates = [lr for lr, _ in entry["tuning"]["tried"]]
        assert min(rates) < entry["tuning"]["lr"] < max(rates)


def test_the_pieces_that_are_drawn_are_those_that_are_played(chapter):
    axes = chapter.axes["written"]
    for ax, piece in zip(axes, chapter.names.shown.values(), strict=True):
        for v, lines in enumerate(ax.collections):
            heights = [segment[0, 1] for segment in lines.get_segments()]
            assert heights == piece[:, v].tolist()
    for name in ("bach", "network", "alone"):
        clip = Path("chapters/media") / f"13_music-{name}.mp3"
        assert 10_000 < (ROOT / clip).stat().st_size < 150_000
        assert f'src="media/{clip.name}"' in chapter.source("hear")
        assert 'preload="none"' in chapter.source("hear")
    played = midi.read(ROOT / "chapters/media/13_music-network.mid")
    assert played == chapter.names.shown["the network"][:, 0].tolist()


def test_the_synthesiser_has_the_pitch_of_the_note(chapter):
    names = chapter.names
    wave = names.sound(np.array([[69, 69, 69, 69]] * 4))
    spectrum = np.abs(np.fft.rfft(wave))
    loudest = np.fft.rfftfreq(len(wave), 1 / names.RATE)[spectrum.argmax()]
    assert abs(loudest - 440) < 1 and np.abs(wave).max() <= 1
    assert len(names.sound(names.first[:32])) == 32 * round(names.RATE * 60 / 80)


def test_a_tune_of_the_readers_own_is_harmonised(chapter):
    names = chapter.names
    assert names.mine.shape == (16, 4)
    assert len(set((names.mine[:, 0] - names.tune).tolist())) == 1
    assert harmony.is_triad(names.mine).mean() > 0.5


def test_torch_and_rnnlib_have_the_same_losses(chapter):
    losses, torch_losses = np.array(chapter.names.losses), np.array(chapter.names.torch_losses)
    np.testing.assert_allclose(losses, torch_losses, atol=0.01)
    assert losses[-5:].mean() < losses[:5].mean()
