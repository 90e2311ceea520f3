"""Clips that have no direction but their label's, files, and clips of the reader's own."""

import io
import sys
import wave
from fractions import Fraction

import numpy as np
import pytest

from rnnlib.data import mp4, video

av = pytest.importorskip("av")


def through(frames, **how):
    file = io.BytesIO()
    mp4.encode(frames, file, **how)
    return mp4.decode(io.BytesIO(file.getvalue()))


def written(path, frames, rate=12, codec="libx264", form="yuv444p", **options):
    """A film of colour frames (T, height, width, 3), of any size and rate."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=Fraction(rate))
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = form
        stream.options = options
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode(None))
    return path


def growing(T, height, width):
    """Grey frames that become lighter, and are lighter on the left."""
    grey = np.linspace(60, 160, T)[:, None, None] + np.linspace(40, 0, width)
    return np.repeat(np.broadcast_to(grey, (T, height, width))[..., None], 3, -1).astype(np.uint8)


@pytest.mark.parametrize("kind", [1, 3, 5])
def test_the_second_of_a_pair_is_the_first_played_backwards(kind):
    assert video.REVERSED[kind] == kind - 1 and video.REVERSED[kind - 1] == kind
    for seed in range(3):
        first, second = video.render(kind - 1, seed), video.render(kind, seed)
        np.testing.assert_array_equal(second[::-1], first)
        assert not np.array_equal(second, first)


class Coin(np.random.Generator):
    """Draws as any generator does, but the call of random() with this number has this outcome."""

    def __init__(self, seed, call, outcome):
        super().__init__(np.random.PCG64(seed))
        self.left, self.outcome = call, outcome

    def random(self, *args):
        number = super().random(*args)
        self.left -= 1
        return number if self.left else self.outcome


@pytest.mark.parametrize(("kind", "call"), [(6, 2), (7, 1)])
def test_the_others_are_turned_round_by_a_coin(kind, call):
    """So a clip and its reverse are equally likely, whatever the motion is."""
    assert video.REVERSED[kind] == kind
    for seed in range(3):
        one, other = (video.render(kind, Coin(seed, call, coin)) for coin in (0.1, 0.9))
        np.testing.assert_array_equal(one[::-1], other)


def test_clips_take_turns_and_depend_on_their_number_alone():
    frames, labels = video.clips(10, seed=4, intra=None)
    assert labels.tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 0, 1]
    again, _ = video.clips(3, seed=4, intra=None)
    for one, other in zip(again, frames, strict=False):
        np.testing.assert_array_equal(one, other)
    assert not np.array_equal(frames[0][:16], frames[8][:16])
    lengths = {len(video.render(seed % 8, seed)) for seed in range(60)}
    assert lengths <= set(range(video.SHORTEST, video.LONGEST + 1)) and len(lengths) > 9


@pytest.mark.parametrize("activity", [-1, 8, 2.5])
def test_what_is_no_activity_is_named(activity):
    with pytest.raises(ValueError, match="activity"):
        video.render(activity, 0)


def test_each_frame_alone_has_no_direction_and_the_usual_encoding_has_one():
    for kind in (0, 2, 7):
        frames = video.render(kind, 3)
        np.testing.assert_array_equal(through(frames[::-1])[::-1], through(frames))
        usual = {"intra": False, "crf": 30}
        assert not np.array_equal(through(frames[::-1], **usual)[::-1], through(frames, **usual))


def test_what_is_decoded_is_close_to_what_was_drawn():
    frames = video.render(0, 3)
    decoded = through(frames)
    assert decoded.shape == frames.shape and decoded.dtype == np.uint8
    assert abs(decoded.astype(float) - frames).mean() < 5
    with pytest.raises(ValueError, match="63 by 64"):
        mp4.encode(frames[:, :63], io.BytesIO())


def test_shrinking_takes_the_mean_of_the_middle_square():
    frame = np.arange(64 * 64, dtype=float).reshape(64, 64) % 200
    want = frame.reshape(32, 2, 32, 2).mean(axis=(1, 3))
    assert abs(mp4.shrink(frame) - want).max() <= 0.5
    wide = np.zeros((48, 100))
    wide[:, 26:74] = 90
    assert (mp4.shrink(wide) == 90).all(), "what lies beside the square is left out"
    assert (mp4.shrink(np.full((7, 5), 33)) == 33).all(), "a picture smaller than 32 by 32"


def test_pixels_do_not_depend_on_the_other_frames():
    frames = mp4.shrink(video.render(0, 3))
    whole, part = mp4.pixels(frames), mp4.pixels(frames[4:9])
    assert whole.shape == (len(frames), 1, 32, 32) and whole.dtype == np.float32
    np.testing.assert_array_equal(whole[4:9], part)


@pytest.mark.parametrize(
    ("height", "width", "rate", "name", "codec"),
    [
        (91, 121, 12, "odd.mp4", "libx264"),
        (240, 135, 24, "upright.mkv", "libx264"),
        (30, 40, Fraction(30000, 1001), "small.mp4", "libx264"),
        (64, 64, 5, "slow.avi", "ffv1"),
        (480, 854, 25, "large.mp4", "libx264"),
    ],
)
def test_clips_of_any_size_and_rate_become_twelve_frames_a_second(
    tmp_path, height, width, rate, name, codec
):
    T = round(2 * rate)
    path = written(tmp_path / name, growing(T, height, width), rate, codec)
    frames = mp4.read(path)
    assert frames.dtype == np.uint8 and frames.shape[1:] == (32, 32)
    assert abs(len(frames) - 24) <= 3, "two seconds"
    brightness = frames.mean(axis=(1, 2))
    assert (np.diff(brightness) >= -0.5).all() and brightness[-1] > brightness[0] + 50
    assert frames[..., 0].mean() > frames[..., -1].mean(), "left is left"


def test_reading_ends_after_so_many_seconds(tmp_path):
    path = written(tmp_path / "long.mp4", growing(96, 32, 32))
    assert len(mp4.read(path)) == 60
    assert len(mp4.read(path, longest=1.5)) == 18


def test_our_own_clips_come_back_as_clips_gives_them(tmp_path):
    frames = video.render(2, np.random.default_rng([7, 2]))
    path = tmp_path / "own.mp4"
    mp4.encode(frames, str(path))
    [*_, last], _ = video.clips(3, seed=7)
    np.testing.assert_array_equal(mp4.read(path), last)


def test_a_clip_that_was_filmed_sideways_is_turned(tmp_path, monkeypatch):
    path = written(tmp_path / "turned.mp4", growing(12, 64, 64))
    upright = mp4.read(path)
    monkeypatch.setattr(mp4, "_turn", lambda frame: 90)
    turned = mp4.read(path)
    np.testing.assert_array_equal(turned, np.rot90(upright, axes=(1, 2)))


def sound(path):
    with wave.open(str(path), "wb") as tape:
        tape.setparams((1, 2, 8000, 0, "NONE", ""))
        tape.writeframes(bytes(8000))


def half(path):
    file = io.BytesIO()
    mp4.encode(video.render(0, 0), file)
    path.write_bytes(file.getvalue()[: file.tell() // 2])


def damaged(path):
    """A film whose middle is noise."""
    written(path, growing(24, 64, 64))
    content = bytearray(path.read_bytes())
    for at in range(len(content) // 3, 2 * len(content) // 3):
        content[at] = (content[at] * 7 + 13) % 256
    path.write_bytes(bytes(content))


BROKEN = {
    "no video.mp4": (lambda path: path.write_bytes(b"this is no film"), "no video that can be"),
    "empty.mp4": (lambda path: path.write_bytes(b""), "no video that can be"),
    "half.mp4": (half, "no video that can be"),
    "sound.wav": (sound, "no video stream"),
    "one.mp4": (lambda path: written(path, growing(1, 32, 32)), "holds 1 frame"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_no_clip_gives_one_sentence(tmp_path, name):
    make, said = BROKEN[name]
    make(tmp_path / name)
    with pytest.raises(ValueError, match=said) as problem:
        mp4.read(tmp_path / name)
    assert name in str(problem.value) and "\n" not in str(problem.value)


def test_a_damaged_clip_is_read_or_named(tmp_path):
    """FFmpeg mends some damage; what it cannot mend gives the sentence."""
    damaged(tmp_path / "damaged.mp4")
    try:
        assert mp4.read(tmp_path / "damaged.mp4").shape[1:] == (32, 32)
    except ValueError as problem:
        assert "damaged.mp4" in str(problem)


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    for path in (tmp_path / "none.mp4", tmp_path):
        with pytest.raises(FileNotFoundError, match=path.name):
            mp4.read(path)


def test_without_pyav_one_sentence_says_what_to_install(tmp_path, monkeypatch):
    path = tmp_path / "a.mp4"
    mp4.encode(video.render(0, 0), str(path))
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(ImportError, match="pip install av"):
        mp4.read(path)
    assert video.render(0, 0).any() and len(video.clips(2, intra=None)[0]) == 2
