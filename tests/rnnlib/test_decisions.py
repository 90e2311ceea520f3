"""The data of chapter 17: `best` is the best there is, and the parts share nothing."""

import numpy as np
import pytest

from rnnlib.data import capstone


@pytest.fixture(scope="module", params=sorted(capstone.TASKS))
def task(request):
    return capstone.load(request.param, 4000, 100, 4000)


def test_shapes_and_dtypes(task):
    for part, N in zip(task, (4000, 100, 4000), strict=True):
        assert part.x.shape == (32, N, 1)
        assert part.y.shape == part.best.shape == part.age.shape == (N,)
        assert {part.x.dtype, part.y.dtype, part.best.dtype} == {np.dtype(np.float32)}
        assert part.x.flags.c_contiguous
        assert part.age.min() >= 1
        assert part.age.max() <= 32


def test_what_is_left_of_the_best_answer_is_noise(task):
    """Neither the answer itself nor any single reading says what the best answer missed."""
    x, y, best, _ = task.test
    missed = y - best
    assert abs(missed.mean()) < 4 * missed.std() / np.sqrt(len(y))
    for told in (best, *x[:, :, 0]):
        assert abs(np.corrcoef(told, missed)[0, 1]) < 4 / np.sqrt(len(y))


def test_no_regression_beats_the_best_answer(task):
    x, y, best, _ = task.training
    X = np.vstack([x[:, :, 0], np.ones(len(y))]).T
    w = np.linalg.lstsq(X, y)[0]
    x, y, best, _ = task.test
    errors = (np.vstack([x[:, :, 0], np.ones(len(y))]).T @ w - y) ** 2
    assert errors.mean() > ((best - y) ** 2).mean()


def test_a_line_reaches_the_best_answer_for_the_building_alone():
    gaps = {}
    for name in capstone.TASKS:
        (x, y, *_), _, (x_new, y_new, best, _) = capstone.load(name, 4000, 1, 4000)
        X, X_new = (np.vstack([a[:, :, 0], np.ones(a.shape[1])]).T for a in (x, x_new))
        told = X_new @ np.linalg.lstsq(X, y)[0]
        gaps[name] = ((told - y_new) ** 2).mean() / ((best - y_new) ** 2).mean()
    assert gaps["heat"] < 1.03
    assert gaps["basin"] > 3
    assert gaps["pump"] > 1.15


def test_the_basin_by_hand():
    x, _, level, age = capstone.load("basin", 50, 1, 1, T=20).training
    for n in range(50):
        now, wall = 0.5, 20
        for t, flow in enumerate(x[:, n, 0]):
            wall = 20 - t if not 0 <= now + flow <= 1 else wall
            now = min(max(now + flow, 0.0), 1.0)
        assert level[n] == pytest.approx(now, abs=1e-6)
        assert age[n] == wall


def test_the_pump_turns_round_after_its_mode_has_changed():
    x, _, _, age = capstone.load("pump", 20000, 1, 1).training
    product = (x[1:] * x[:-1])[..., 0]  # (T - 1, N); its sign speaks for a mode
    recent = age == 10
    before, after = product[12:21, recent], product[23:, recent]
    assert np.corrcoef(before.mean(axis=0), after.mean(axis=0))[0, 1] < -0.3
    unchanged = age == 32
    halves = product[:15, unchanged].mean(axis=0), product[16:, unchanged].mean(axis=0)
    assert np.corrcoef(*halves)[0, 1] > 0.3


def test_more_training_keeps_what_was_there_and_the_other_parts(task):
    for name in capstone.TASKS:
        small, large = capstone.load(name, 7, 3, 5), capstone.load(name, 20, 3, 5)
        np.testing.assert_array_equal(small.training.x, large.training.x[:, :7])
        np.testing.assert_array_equal(small.training.y, large.training.y[:7])
        np.testing.assert_array_equal(small.test.x, large.test.x)


def test_no_sequence_stands_in_two_parts(task):
    rows = [part.x[:, :, 0].T for part in task]
    assert len(np.unique(np.vstack(rows), axis=0)) == sum(map(len, rows))


def test_seeds_draw_other_data_and_the_same_again():
    first, again, other = (capstone.load("basin", 5, 1, 1, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.training.x, again.training.x)
    assert not np.array_equal(first.training.x, other.training.x)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"name": "weather"}, "there is no task 'weather', only basin, heat, pump"),
        ({"name": "basin", "training": 0}, "training must be a whole number of at least 1"),
        ({"name": "pump", "test": 1.5}, "test must be a whole number"),
        ({"name": "heat", "T": 12}, "T must be a whole number of at least 13, got 12"),
    ],
)
def test_bad_sizes_are_named(given, message):
    with pytest.raises(ValueError, match=message):
        capstone.load(**given)
