"""Chapter 14: what a bag of frames cannot know, what a memory adds, and what gives it away."""

import io
import itertools
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import rnnlib
from rnnlib.data import mp4, video

ROOT = Path(__file__).resolve().parents[2]


def test_the_ceiling_is_the_best_that_any_answer_to_each_bag_reaches(chapter):
    """Every way to answer the five bags is tried: 8 answers to each, whichever bag it is."""
    names = chapter.names
    bags = sorted(set(names.group.tolist()))
    assert len(bags) == 5 and names.ceiling == pytest.approx(0.625)
    best = sum(
        max(np.mean((names.group == bag) & (np.arange(8) == answer)) for answer in range(8))
        for bag in bags
    )
    assert best == pytest.approx(names.ceiling)
    assert 0.02 < names.spread < 0.022


def test_bags_stay_below_their_ceiling_and_memories_name_nearly_all(chapter):
    found, most = chapter.experiment, chapter.names.ceiling + chapter.names.spread
    assert found["settings"]["clips"]["test"] >= 2000
    for kind in ("bag", "tanh", "LSTM", "GRU", "pairs"):
        assert len(found[kind]["test"]) == 3
        assert np.shape(found[kind]["confusion"]) == (3, 8, 8)
    assert min(found["bag"]["test"]) > 0.58 and max(found["bag"]["test"]) < most
    gru = found["GRU"]
    assert min(gru["test"]) > 0.95 and np.median(found["LSTM"]["test"]) > 0.95
    assert min(found["tanh"]["test"]) > most + 0.1
    assert max(found["tanh"]["test"]) < min(found["pairs"]["test"]) < min(gru["test"])
    assert max(gru["shuffled"]) < most + 0.02
    assert min(gru["reversed"]) > 0.95
    assert len({len(found[kind]["tuning"]["tried"]) for kind in ("bag", "pairs", "GRU")}) == 1


def test_the_bag_mixes_up_pairs_and_nothing_else(chapter):
    shares = np.mean(chapter.experiment["bag"]["confusion"], axis=0)
    within = chapter.names.group[:, None] == chapter.names.group
    assert (shares * within).sum() / 8 > 0.95
    for k in range(6):
        assert shares[k, k] + shares[video.REVERSED[k], video.REVERSED[k]] < 1.1
    shares = np.mean(chapter.experiment["GRU"]["confusion"], axis=0)
    assert shares.diagonal().min() > 0.9


def test_what_sees_the_first_frame_is_above_the_ceiling(chapter):
    leak, most = chapter.experiment["leak"], chapter.names.ceiling + chapter.names.spread
    assert min(leak["first"]) > most + 0.1
    assert max(leak["usual"] + leak["strong"]) < most


def test_only_frames_that_stand_alone_make_the_same_bag_backwards(chapter):
    names, clip = chapter.names, chapter.names.clip
    for kind in (0, 3, 4, 6):
        clip = video.render(kind, 8)
        one, other = names.through(clip), names.through(clip[::-1])
        assert names.bag(one, mp4.pixels) == names.bag(other, mp4.pixels)
        assert names.bag(one, names.without_wall) != names.bag(other, names.without_wall)
        one, other = (names.through(some, intra=False) for some in (clip, clip[::-1]))
        assert names.bag(one, mp4.pixels) != names.bag(other, mp4.pixels)


def small_clips(names):
    frames = [mp4.shrink(video.render(k, k)) for k in range(4)]
    return frames, {len(one) for one in frames}


@pytest.mark.parametrize("kind", ["Bag", "Watcher"])
def test_padding_changes_nothing(chapter, kind):
    names = chapter.names
    frames, lengths = small_clips(names)
    assert len(lengths) > 1
    model = getattr(names, kind)(seed=3)
    together = names.scores(model, frames)
    alone = np.concatenate([names.scores(model, [one]) for one in frames])
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_a_bag_does_not_know_the_order_and_a_memory_does(chapter):
    names = chapter.names
    frames, _ = small_clips(names)
    shuffled = [np.random.default_rng(0).permutation(one) for one in frames]
    for model, same in ((names.Bag(seed=1), True), (names.watcher, False)):
        before, after = names.scores(model, frames), names.scores(model, shuffled)
        assert np.allclose(before, after, atol=1e-4) == same


@pytest.mark.parametrize("make", ["Bag", "GRU", "LSTM", "RNN"])
def test_gradients_are_those_of_differences(chapter, make):
    names, rng = chapter.names, np.random.default_rng(0)
    if make == "Bag":
        model = names.Bag(H=5, F=4, seed=0)
    else:
        model = names.Watcher(getattr(rnnlib, make), H=5, F=4, seed=0)
    for parameter in model.parameters():
        parameter.data = parameter.data.astype(np.float64)
    x, lengths, y = rng.normal(size=(4, 3, 1, 32, 32)), np.array([4, 2, 3]), np.array([1, 0, 5])
    if make == "Bag":  # the shares of the mean are float32 in the chapter
        x = x.astype(np.float32).astype(np.float64)

    def loss():
        return rnnlib.cross_entropy(model((x, lengths)), y)

    model.zero_grad()
    model.backward(loss()[1])
    for name in ("eye.conv1.weight", "eye.conv2.bias", "linear.weight"):
        parameter = dict(model.named_parameters())[name]
        flat = parameter.data.reshape(-1)
        for at in rng.integers(0, flat.size, 6):
            kept, both = flat[at], []
            for step in (1e-5, -1e-5):
                flat[at] = kept + step
                both.append(loss()[0])
            flat[at] = kept
            want = (both[0] - both[1]) / 2e-5
            assert parameter.grad.reshape(-1)[at] == pytest.approx(want, abs=2e-6), name


def test_the_running_guess_does_not_look_ahead(chapter):
    names = chapter.names
    whole, part = names.running(names.watcher, names.small), None
    part = names.running(names.watcher, names.small[:7])
    np.testing.assert_allclose(part, whole[:7], atol=1e-6)


def test_the_stored_weights_name_clips_that_nobody_has_seen_and_their_reverse(chapter):
    names = chapter.names
    frames, labels = video.clips(96, seed=77)
    found = names.scores(names.watcher, frames).argmax(axis=1)
    assert np.mean(found == labels) > 0.9
    found = names.scores(names.watcher, [one[::-1] for one in frames]).argmax(axis=1)
    assert np.mean(found == video.REVERSED[labels]) > 0.9


def test_torch_and_rnnlib_have_the_same_losses(chapter):
    losses, torch_losses = np.array(chapter.names.losses), np.array(chapter.names.torch_losses)
    assert len(losses) == 20
    np.testing.assert_allclose(losses, torch_losses, atol=0.01)


def test_the_drawn_guess_and_the_drawn_shares_are_the_computed_ones(chapter):
    names = chapter.names
    for ax, frames in zip(chapter.axes["watch"], (names.small, names.small[::-1]), strict=True):
        p = names.running(names.watcher, frames)
        drawn = np.array([line.get_ydata() for line in ax.lines]).T
        np.testing.assert_allclose(drawn, p, atol=1e-6)
        assert p[-1].max() > 0.9
    for ax, key in zip(chapter.axes["confusion"], ("bag", "GRU"), strict=True):
        shares = np.mean(chapter.experiment[key]["confusion"], axis=0)
        np.testing.assert_allclose(ax.images[0].get_array(), shares)


def test_clips_of_the_page_are_light_labelled_and_what_they_are_said_to_be(chapter):
    players = re.findall(r"<video .*?</video>", chapter.source("players"))
    assert len(players) == 4
    for player in players:
        file = ROOT / "chapters" / re.search(r'src="([^"]+)"', player)[1]
        assert 1_000 < file.stat().st_size <= 20_000
        assert 'preload="none"' in player and "autoplay" not in player and "controls" in player
        assert len(re.search(r'aria-label="([^"]+)"', player)[1].split()) > 3
        clip = mp4.decode(str(file))
        assert len(clip) == chapter.experiment["media"][file.stem[9:]]
        poster = ROOT / "chapters" / re.search(r'poster="([^"]+)"', player)[1]
        assert poster.stat().st_size <= 3_000
        shown = np.interp(clip[0], [16, 235], [0, 255])  # brightness of a video, of a picture
        assert abs(np.array(Image.open(poster)) - shown).mean() < 4, "the clip's first frame"
    sit, stand = (
        mp4.decode(str(ROOT / f"chapters/media/14_video-{n}.mp4")) for n in ("sit", "stand")
    )
    assert abs(sit[::-1].astype(float) - stand).mean() < 4, "the same frames backwards"


def test_a_file_of_the_pages_size_is_small(chapter):
    for k in range(8):
        file = io.BytesIO()
        mp4.encode(video.render(k, 11), file)
        assert file.tell() <= 20_000


def test_a_convolution_is_the_sum_that_the_formula_says(chapter):
    rng = np.random.default_rng(4)
    C, n, size, d = 2, 7, 3, 2
    layer = rnnlib.Conv2d(C, 3, size, stride=d, seed=1)
    x = rng.normal(size=(C, n, n))
    y = layer(x[None])[0]
    for k, r, s in itertools.product(range(3), range(y.shape[1]), range(y.shape[2])):
        want = layer.bias.data[k] + sum(
            layer.weight.data[k, c, i, j] * x[c, d * r + i, d * s + j]
            for c, i, j in itertools.product(range(C), range(size), range(size))
        )
        assert y[k, r, s] == pytest.approx(want)
