"""Chapter 11: the sum over paths, voices and people never heard, and what a player plays."""

import importlib
import itertools
import re

import numpy as np
import pytest
import soundfile

import rnnlib
from rnnlib.data import speech


@pytest.fixture(scope="module")
def experiment_s_own():
    """The module that made the experiment's file, for the strings of people."""
    return importlib.import_module("11_speech")


def in_float64(model):
    for parameter in model.parameters():
        parameter.data = parameter.data.astype(np.float64)
        parameter.grad = np.zeros_like(parameter.data)
    return model


def test_by_hand_is_the_sum_over_all_paths_for_other_numbers_too(chapter):
    source = chapter.source("by-hand")
    scope = vars(chapter.names)
    assert scope["log_p"] == pytest.approx(np.log(scope["listed"]))
    rng = np.random.default_rng(3)
    for _ in range(5):
        logits = rng.normal(size=(4, 1, 3))
        other = dict(scope, y_small=rnnlib.softmax(logits)[:, 0], print=lambda *_: None)
        exec(source, other)
        loss, _ = rnnlib.ctc_loss(logits[:3], np.array([[1]]))
        assert other["log_p"] == pytest.approx(-loss)
        assert np.exp(other["log_p"]) == pytest.approx(other["listed"])


def test_no_path_says_two_texts_and_none_is_left_out(chapter):
    total, paths = chapter.names.total, chapter.names.paths
    assert sum(paths.values()) == 3**4 and sum(total.values()) == pytest.approx(1)
    logits = np.log(chapter.names.y_small)[:, None]
    for labels, p in total.items():
        loss, _ = rnnlib.ctc_loss(logits, np.array([labels], dtype=int))
        assert np.exp(-loss) == pytest.approx(p)


def test_the_small_cases_agree_with_listing_and_with_torch(chapter):
    assert (chapter.names.largest < 1e-9).all() and (chapter.names.largest > 0).any()


def test_at_the_first_update_the_share_is_a_count_of_paths(chapter):
    """The chapter's cell takes it from the gradient; here the paths of a short case are listed."""
    T, K, labels = 6, 4, [1, 2, 1]
    _, dlogits = rnnlib.ctc_loss(np.zeros((T, 1, K)), np.array([labels]))
    share = 1 / K - dlogits[:, 0]
    right = [
        path
        for path in itertools.product(range(K), repeat=T)
        if rnnlib.ctc_collapse(np.array(path)) == labels
    ]
    counted = np.eye(K)[np.array(right)].mean(axis=0)
    np.testing.assert_allclose(share, counted, atol=1e-12)
    of_chapter = chapter.names.share
    np.testing.assert_allclose(of_chapter.sum(axis=1), 1, atol=1e-12)
    asked = chapter.names.labels[0]
    assert of_chapter[:, 0].mean() > 3 * of_chapter[:, asked].mean()
    assert (of_chapter[:, 0] > of_chapter[:, asked].max(axis=1)).all()


def test_the_first_epochs_teach_words_as_narrow_peaks(chapter):
    blank, length = chapter.names.peaks(chapter.names.word_listener, chapter.names.test)
    assert blank > 0.8 and length < chapter.names.frames / chapter.names.words / 3


def test_peaks_counts_runs_of_labels(chapter):
    path = np.array([0, 0, 3, 3, 2, 0, 2, 2, 2])

    class Fixed:
        def __call__(self, batch):
            return np.eye(4)[path][:, None], batch[1]

    one = speech.Spoken("", "", np.zeros((len(path), 32), np.uint8))
    blank, length = chapter.names.peaks(Fixed(), [one])
    assert blank == pytest.approx(3 / 9) and length == pytest.approx(6 / 3)


@pytest.mark.parametrize("kind", ["Listener", "Window"])
def test_gradients_are_those_of_differences_and_padding_changes_nothing(chapter, kind):
    names, rng = chapter.names, np.random.default_rng(0)
    if kind == "Listener":
        model = in_float64(names.Listener(seed=0, F=3, H=4, K=5))
    else:
        model = in_float64(names.Window(seed=0, width=3, H=4, F=3, K=5))
    x, lengths = rng.normal(size=(7, 2, 3)), np.array([7, 4])
    x[4:, 1] = 0
    labels = np.array([[1, 2], [1, -1], [3, -1]])

    def loss():
        return names.ctc(model((x, lengths)), labels)[0]

    model.zero_grad()
    model.backward(names.ctc(model((x, lengths)), labels)[1])
    for name, parameter in model.named_parameters():
        numerical = rnnlib.numerical_gradient(loss, parameter.data)
        np.testing.assert_allclose(parameter.grad, numerical, atol=1e-7, err_msg=name)
    together, _ = model((x, lengths))
    alone, _ = model((x[:4, 1:], lengths[1:]))
    np.testing.assert_allclose(together[:4, 1], alone[:, 0], atol=1e-12)


def test_torch_and_rnnlib_walk_the_same_way(chapter):
    here, there = np.array(chapter.names.here), np.array(chapter.names.there)
    assert len(here) == len(there) == 20
    np.testing.assert_allclose(here, there, rtol=1e-3)
    assert here[-1] < here[0] / 2, "and they get somewhere"


def test_voices_never_heard_are_understood_and_people_are_not(chapter):
    found = chapter.experiment
    for part in ("voices", "torch"):
        words, characters = np.array(found[part]["test"]).T
        assert (words < 0.10).all() and (characters < words).all()
    assert np.array(found["voices"]["people"])[:, 0].min() > 0.4
    assert np.array(found["words"]["test"])[:, 0].max() < 0.10
    assert np.array(found["words"]["people"])[:, 0].min() > 0.3
    no_memory = np.array(found["window"]["test"])[:, 0]
    assert no_memory.min() > np.array(found["voices"]["test"])[:, 0].max(), "memory helps"


def test_who_was_heard_before_is_understood_better(chapter):
    found = chapter.experiment["people"]
    heard, never = np.array(found["heard"]), np.array(found["never"])
    assert heard.shape == never.shape == (len(found["seeds"]), 6)
    assert (never.mean(axis=1) > 2 * heard.mean(axis=1)).all(), "at every start"
    assert (never.mean(axis=0) > heard.mean(axis=0)).all(), "for every speaker"


def test_the_stored_weights_are_those_that_the_experiment_scored(chapter):
    import jiwer

    names = chapter.names
    said = names.heard(names.model, names.test)
    recorded = chapter.experiment["voices"]["test"][0][0]
    assert jiwer.wer(names.texts, said) == pytest.approx(recorded, abs=0.01)


def test_the_posterior_that_is_drawn_is_the_example_s(chapter):
    above, below = chapter.axes["posterior"]
    features = speech.features(speech.read("chapters/media/11_speech_heard.wav"))
    np.testing.assert_array_equal(above.images[0].get_array(), features.T)
    one = speech.Spoken("", "", features)
    y = rnnlib.softmax(chapter.names.scores_of(chapter.names.model, [one])[0])
    np.testing.assert_allclose(below.lines[0].get_ydata(), y[:, 0], atol=1e-6)
    written = "".join(text.get_text() for text in below.texts).replace("␣", " ")
    assert written == chapter.names.best_path(np.log(y)) == "three two five"


def test_the_lines_between_the_splits_are_the_experiment_s(chapter):
    [ax] = chapter.axes["people"]
    found = chapter.experiment["people"]
    pairs = np.array([np.mean(found["heard"], axis=0), np.mean(found["never"], axis=0)])
    lines = [line for line in ax.lines if len(line.get_xdata()) == 2]
    assert len(lines) == 6
    for line, pair in zip(lines, pairs.T, strict=True):
        np.testing.assert_allclose(line.get_ydata(), pair)


def test_the_beam_hears_what_the_best_path_misspells(chapter):
    names = chapter.names
    truth = "nine eight two six nine"
    told = speech.features(speech.read("chapters/media/11_speech_misheard.wav"))
    [logits] = names.scores_of(names.model, [speech.Spoken("", "", told)])
    assert names.best_path(logits) != truth
    [beam] = rnnlib.ctc_prefix_beam(logits[:, None], width=8)
    assert speech.decode(beam[0].tokens) == truth


def test_the_clips_are_the_strings_of_the_test_that_the_page_says_they_are(chapter):
    source = "".join(cell.source for cell in chapter.cells.values())
    for number, name in ((8, "heard"), (13, "misheard")):
        one = chapter.names.test[number]
        file = f"media/11_speech_{name}.wav"
        assert re.search(rf'<audio[^>]*src="{file}"[^>]*aria-label="[^"]*{one.text}"', source)
        heard = speech.features(speech.read(f"chapters/{file}"))
        assert abs(heard.astype(int) - one.features).max() <= 1


def test_any_recording_gives_a_text_or_one_sentence(chapter, tmp_path):
    transcribe, wave = chapter.names.transcribe, speech.read("chapters/media/11_speech_heard.wav")
    truth = "three two five"
    soundfile.write(tmp_path / "a.flac", np.stack([wave, 0 * wave], axis=1), 8000)
    assert transcribe(tmp_path / "a.flac") == truth, "one channel silent"
    rng = np.random.default_rng(5)
    for level in (0, 1e-5, 1e-4, 1e-3):
        soundfile.write(tmp_path / "a.wav", level * rng.normal(size=24000), 8000, subtype="FLOAT")
        assert transcribe(tmp_path / "a.wav") == ""
    soundfile.write(tmp_path / "a.wav", wave[:200], 8000)
    assert transcribe(tmp_path / "a.wav") == "", "shorter than a frame"


def test_people_are_held_out_as_the_text_says(chapter, public, experiment_s_own):
    public("free-spoken-digit-dataset/recordings")
    module = experiment_s_own
    names = module.SETTINGS["people"]["speakers"]
    test = module.people_held_out()
    training = module.people(names, range(10, 50), [0, 1])
    for strings, each in ((test, 10), (training, 40)):
        said = [word for one in strings for word in one.text.split()]
        assert all(said.count(word) == each * len(names) for word in speech.WORDS)
        assert all(one.voice in names for one in strings)
