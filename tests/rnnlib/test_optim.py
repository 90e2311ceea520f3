"""Optimisers and schedules: step by step as torch's, and to be broken off at any step."""

import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnlib import (
    SGD,
    Adam,
    AdamW,
    CosineAnnealingLR,
    ExponentialLR,
    Linear,
    LinearLR,
    Parameter,
    ReduceLROnPlateau,
    RMSprop,
    SequentialLR,
    StepLR,
    clip_grad_norm,
    clip_grad_value,
)
from rnnlib.optim import Optimizer
from rnnlib.schedules import Schedule

CONFIGURATIONS = 256
STEPS = 51


def random_optimizer(rng):
    """An optimiser's class, torch's, and settings for both."""
    lr = float(10.0 ** rng.uniform(-4, 0))
    momentum = float(rng.choice([0.0, rng.uniform(0.0, 0.99)]))
    eps = float(10.0 ** rng.uniform(-10, -3))
    betas = (float(rng.uniform(0.0, 0.99)), float(rng.uniform(0.0, 0.9999)))
    adam = {"betas": betas, "eps": eps}
    ours, theirs, settings = [
        (SGD, torch.optim.SGD, {"momentum": momentum}),
        (Adam, torch.optim.Adam, adam),
        (AdamW, torch.optim.AdamW, adam),
        (RMSprop, torch.optim.RMSprop, {"alpha": betas[1], "eps": eps, "momentum": momentum}),
    ][rng.integers(4)]
    decay = float(rng.choice([0.0, rng.uniform(0.0, 0.5)]))
    return ours, theirs, settings | {"lr": lr, "weight_decay": decay}


def random_schedule(rng):
    """A schedule's class, torch's, and settings for both."""
    return [
        (
            StepLR,
            torch.optim.lr_scheduler.StepLR,
            {"step_size": int(rng.integers(1, 20)), "gamma": float(rng.uniform(0.1, 1.0))},
        ),
        (
            ExponentialLR,
            torch.optim.lr_scheduler.ExponentialLR,
            {"gamma": float(rng.uniform(0.8, 1.0))},
        ),
        (
            CosineAnnealingLR,
            torch.optim.lr_scheduler.CosineAnnealingLR,
            {"T_max": int(rng.integers(1, 40)), "eta_min": float(rng.choice([0.0, 1e-5]))},
        ),
        (
            LinearLR,
            torch.optim.lr_scheduler.LinearLR,
            {
                "start_factor": float(rng.uniform(0.01, 1.0)),
                "end_factor": float(rng.uniform(0.0, 1.0)),
                "total_iters": int(rng.integers(1, 40)),
            },
        ),
    ][rng.integers(4)]


def random_clipping(rng):
    limit = float(10.0 ** rng.uniform(-1, 1))
    return [
        (lambda _: None, lambda _: None),
        (
            lambda parameters: clip_grad_norm(parameters, limit),
            lambda parameters: torch.nn.utils.clip_grad_norm_(parameters, limit),
        ),
        (
            lambda parameters: clip_grad_value(parameters, limit),
            lambda parameters: torch.nn.utils.clip_grad_value_(parameters, limit),
        ),
    ][rng.integers(3)]


def twins(rng):
    """Parameters of random shapes, ours and torch's."""
    shapes = [tuple(rng.integers(1, 5, size=rng.integers(0, 4))) for _ in range(rng.integers(1, 4))]
    ours = [Parameter(np.array(rng.standard_normal(shape))) for shape in shapes]
    return ours, [torch.nn.Parameter(torch.tensor(parameter.data)) for parameter in ours]


def assert_same_walk(rng, parameters, theirs, optimizer, twin, after, clip, lr):
    """Step both with the same gradients; weights and learning rates stay together."""
    clip_ours, clip_theirs = clip
    for _ in range(STEPS):
        optimizer.zero_grad()
        for parameter, p in zip(parameters, theirs, strict=True):
            parameter.grad += rng.standard_normal(parameter.shape) * 10.0 ** rng.uniform(-2, 1)
            p.grad = torch.tensor(parameter.grad)
        clip_ours(parameters)
        clip_theirs(theirs)
        optimizer.step()
        twin.step()
        for schedule in after:
            schedule.step()
        assert abs(optimizer.lr - twin.param_groups[0]["lr"]) <= 1e-10 * lr
        for parameter, p in zip(parameters, theirs, strict=True):
            want = p.detach().numpy()
            assert want.any()
            assert np.abs(parameter.data - want).max() <= 1e-10 * np.abs(want).max()


def test_optimisers_clipping_and_schedules_follow_torch():
    kinds = set()
    for seed in range(CONFIGURATIONS):
        rng = np.random.default_rng(seed)
        parameters, theirs = twins(rng)
        ours_class, theirs_class, settings = random_optimizer(rng)
        optimizer = ours_class(parameters, **settings)
        twin = theirs_class(theirs, foreach=False, **settings)
        after = []
        if seed % 4:
            schedule_class, twin_class, arguments = random_schedule(rng)
            after = [schedule_class(optimizer, **arguments), twin_class(twin, **arguments)]
            kinds.add(schedule_class)
        assert abs(optimizer.lr - twin.param_groups[0]["lr"]) <= 1e-10 * settings["lr"]
        clip = random_clipping(rng)
        assert_same_walk(rng, parameters, theirs, optimizer, twin, after, clip, settings["lr"])
        kinds.add(ours_class)
    assert kinds == {
        SGD,
        Adam,
        AdamW,
        RMSprop,
        StepLR,
        ExponentialLR,
        CosineAnnealingLR,
        LinearLR,
    }


def test_every_schedule_follows_torch_alone():
    for seed in range(CONFIGURATIONS):
        rng = np.random.default_rng([seed, 1])
        lr = float(10.0 ** rng.uniform(-4, 1))
        optimizer = SGD([Parameter(np.ones(1))], lr=lr)
        twin = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=lr)
        schedule_class, twin_class, arguments = random_schedule(rng)
        schedule = schedule_class(optimizer, **arguments)
        twin_schedule = twin_class(twin, **arguments)
        for n in range(2 * STEPS):
            assert abs(optimizer.lr - twin.param_groups[0]["lr"]) <= 1e-10 * lr, (seed, n)
            assert optimizer.lr == schedule.rate(n)
            twin.step()
            schedule.step()
            twin_schedule.step()


@pytest.mark.parametrize("fall", ["cosine", "exponential", "step"])
@pytest.mark.parametrize("warm", [1, 7, 20])
def test_warming_up_and_then_falling_follows_torch(fall, warm):
    lrs = torch.optim.lr_scheduler
    ours_class, theirs_class, settings = {
        "cosine": (CosineAnnealingLR, lrs.CosineAnnealingLR, {"T_max": 60, "eta_min": 1e-3}),
        "exponential": (ExponentialLR, lrs.ExponentialLR, {"gamma": 0.9}),
        "step": (StepLR, lrs.StepLR, {"step_size": 9}),
    }[fall]
    optimizer = SGD([Parameter(np.ones(1))], lr=0.3)
    twin = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=0.3)
    up = {"start_factor": 0.1, "end_factor": 0.5, "total_iters": warm}
    ours = SequentialLR(
        optimizer, [LinearLR(optimizer, **up), ours_class(optimizer, **settings)], [warm]
    )
    theirs = lrs.SequentialLR(
        twin, [lrs.LinearLR(twin, **up), theirs_class(twin, **settings)], [warm]
    )
    for n in range(warm + 60):
        assert optimizer.lr == pytest.approx(twin.param_groups[0]["lr"], rel=1e-10, abs=1e-12), n
        twin.step()
        ours.step()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch's own, about how it calls itself
            theirs.step()
    assert repr(ours).startswith("SequentialLR(schedulers=[LinearLR(start_factor=0.1, ")


OPTIMIZERS = {
    "SGD": lambda parameters: SGD(parameters, lr=0.1),
    "SGD with momentum": lambda parameters: SGD(parameters, lr=0.1, momentum=0.9),
    "RMSprop": lambda parameters: RMSprop(parameters, momentum=0.5),
    "Adam": lambda parameters: Adam(parameters),
    "AdamW": lambda parameters: AdamW(parameters),
}


@settings(deadline=None)
@given(
    kind=st.sampled_from(sorted(OPTIMIZERS)),
    before=st.integers(0, 5),
    after=st.integers(1, 5),
    dtype=st.sampled_from([np.float32, np.float64]),
    seed=st.integers(0, 2**32),
)
def test_an_optimiser_goes_on_bit_for_bit_from_its_state(kind, before, after, dtype, seed):
    rng = np.random.default_rng(seed)
    parameters = [Parameter(rng.standard_normal(shape).astype(dtype)) for shape in [(3, 2), (4,)]]

    def walk(optimizer, gradients):
        for gradient in gradients:
            for parameter in optimizer.parameters:
                parameter.grad[...] = gradient
            optimizer.step()
            optimizer.lr *= 0.9

    gradients = rng.standard_normal(before + after)
    first = OPTIMIZERS[kind](parameters)
    walk(first, gradients[:before])
    second = OPTIMIZERS[kind]([Parameter(parameter.data.copy()) for parameter in parameters])
    state = first.state_dict()
    kept = {name: array.tobytes() for name, array in state.items()}
    second.load_state_dict(state)
    walk(first, gradients[before:])
    walk(second, gradients[before:])
    for one, other in zip(first.parameters, second.parameters, strict=True):
        assert one.data.dtype == dtype
        assert one.data.tobytes() == other.data.tobytes()
    assert first.lr == second.lr
    assert first.steps == second.steps == before + after
    # the state was a copy, and stands where it was
    assert {name: array.tobytes() for name, array in state.items()} == kept
    assert int(state["steps"]) == before


def test_a_state_is_flat_and_named():
    parameters = [Parameter(np.ones((2, 3))), Parameter(np.ones(4))]
    assert {name: array.shape for name, array in Adam(parameters).state_dict().items()} == {
        "lr": (),
        "steps": (),
        "means.0": (2, 3),
        "means.1": (4,),
        "squares.0": (2, 3),
        "squares.1": (4,),
    }


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda state: state.pop("means.0"), r"does not fit Adam: missing \['means.0'\]"),
        (lambda state: state.update(extra=np.ones(2)), r"unexpected \['extra'\]"),
        (
            lambda state: state.update({"squares.0": np.ones((1, 2))}),
            r"squares.0 of Adam has shape \(1, 2\), but shape \(2,\) is needed",
        ),
        (
            lambda state: state.update({"squares.0": np.ones(2, int)}),
            "squares.0 of Adam has dtype int64, but float64 is needed",
        ),
        (lambda state: state.update(steps=np.array(1.5)), "steps of Adam has dtype float64"),
        (lambda state: state.update(lr=np.array(np.inf)), "lr must be a finite number"),
        (lambda state: state.update(lr=np.array(np.nan)), "lr of Adam holds nan, which cannot be"),
        (lambda state: state.update(steps=np.array(-1)), "steps of Adam is -1, but a count is at"),
        (
            lambda state: state.update({"means.0": np.array([1.0, np.nan])}),
            "means.0 of Adam holds nan",
        ),
        (
            lambda state: state.update({"squares.0": np.array([1.0, -2.0])}),
            "squares.0 of Adam holds -2.0, which cannot be",
        ),
    ],
)
def test_a_state_that_does_not_fit_is_refused_and_changes_nothing(change, message):
    optimizer = Adam([Parameter(np.ones(2))], lr=0.5)
    before = optimizer.state_dict()
    state = {name: array + 1 for name, array in before.items()}
    change(state)
    with pytest.raises(ValueError, match=message):
        optimizer.load_state_dict(state)
    assert all((array == before[name]).all() for name, array in optimizer.state_dict().items())


def test_a_schedule_goes_on_from_its_state():
    first = StepLR(SGD([Parameter(np.ones(1))], lr=1.0), step_size=3)
    for _ in range(4):
        first.step()
    second = StepLR(SGD([Parameter(np.ones(1))], lr=1.0), step_size=3)
    second.load_state_dict(first.state_dict())
    first.step()
    second.step()
    assert first.optimizer.lr == second.optimizer.lr == 0.1
    with pytest.raises(ValueError, match=r"does not fit StepLR: missing \['steps'\]"):
        second.load_state_dict({})


def plateau(optimizer):
    return ReduceLROnPlateau(optimizer, factor=0.5, patience=0)


def stairs(optimizer):
    return StepLR(optimizer, step_size=2, gamma=0.5)


@pytest.mark.parametrize("make", [stairs, plateau])
@pytest.mark.parametrize("order", ["optimiser first", "schedule first", "made last"])
def test_a_learning_rate_goes_on_in_whatever_order_things_are_loaded(make, order):
    optimizer = SGD([Parameter(np.ones(1))], lr=1.0)
    schedule = make(optimizer)
    for _ in range(2):  # the second number is no better than the first
        schedule.step(*[3.0] * (make is plateau))
    assert optimizer.lr == 0.5
    again = SGD([Parameter(np.ones(1))], lr=1.0)
    if order == "made last":
        again.load_state_dict(optimizer.state_dict())
        schedule_again = make(again)
        schedule_again.load_state_dict(schedule.state_dict())
    else:
        schedule_again = make(again)
        pairs = [(again, optimizer), (schedule_again, schedule)]
        for mine, other in pairs if order == "optimiser first" else reversed(pairs):
            mine.load_state_dict(other.state_dict())
    assert again.lr == 0.5
    assert schedule_again.state_dict() == schedule.state_dict()


def test_one_learning_rate_follows_one_schedule():
    optimizer = SGD([Parameter(np.ones(1))], lr=1.0)
    first, second = StepLR(optimizer, 1, gamma=0.5), ExponentialLR(optimizer, gamma=0.1)
    with pytest.raises(ValueError, match=r"StepLR\(.* and ExponentialLR\(.* cannot both set one"):
        first.step()
    second.step()
    assert (optimizer.lr, first.steps) == (0.1, 0)
    both = SequentialLR(optimizer, [first, second], [1])
    both.step()
    assert optimizer.lr == 1.0  # the second begins
    with pytest.raises(ValueError, match="cannot both set"):
        second.step()


@pytest.mark.parametrize("mode", ["min", "max"])
def test_a_schedule_on_a_plateau_follows_torch(mode):
    falls = 0
    for seed in range(CONFIGURATIONS // 2):
        rng = np.random.default_rng([seed, 2])
        lr = float(10.0 ** rng.uniform(-3, 0))
        settings = {
            "mode": mode,
            "factor": float(rng.uniform(0.1, 0.9)),
            "patience": int(rng.integers(4)),
            "threshold": float(rng.choice([0.0, 1e-4, 0.05])),
            "min_lr": float(rng.choice([0.0, lr / 10.0])),
        }
        optimizer = SGD([Parameter(np.ones(1))], lr=lr)
        twin = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=lr)
        ours = ReduceLROnPlateau(optimizer, **settings)
        theirs = torch.optim.lr_scheduler.ReduceLROnPlateau(twin, eps=0.0, **settings)
        for _ in range(STEPS):
            number = np.nan if rng.random() < 0.05 else float(rng.uniform(0.5, 1.0))
            before = optimizer.lr
            ours.step(number)
            theirs.step(number)
            assert optimizer.lr == pytest.approx(twin.param_groups[0]["lr"], rel=1e-10)
            falls += optimizer.lr < before
    assert falls > CONFIGURATIONS


# --- clipping ---


def test_a_parameter_that_is_there_twice_moves_and_counts_once():
    shared, other = Parameter(np.ones(2)), Parameter(np.ones(1))
    for parameter in (shared, other):
        parameter.grad += 3.0
    assert clip_grad_norm([shared, other, shared], 100.0) == pytest.approx(27.0**0.5)
    assert clip_grad_norm([shared, other, shared], 1.0) == pytest.approx(27.0**0.5)
    assert clip_grad_norm([shared, other], np.inf) == pytest.approx(1.0)
    optimizer = SGD([shared, other, shared], lr=1.0)
    assert optimizer.parameters == [shared, other]
    gradient = shared.grad.copy()
    optimizer.step()
    np.testing.assert_allclose(shared.data, 1.0 - gradient)


def test_parameters_may_come_from_a_generator():
    weight = Parameter(np.ones(2))
    weight.grad += [3.0, 4.0]
    assert clip_grad_norm((p for p in [weight]), 1.0) == pytest.approx(5.0)
    np.testing.assert_allclose(weight.grad, [0.6, 0.8], rtol=1e-6)
    clip_grad_value((p for p in [weight]), 0.7)
    np.testing.assert_allclose(weight.grad, [0.6, 0.7], rtol=1e-6)
    assert SGD((p for p in [weight]), lr=1.0).parameters == [weight]


@pytest.mark.parametrize(
    ("dtype", "size"), [(np.float32, 1e20), (np.float32, 3e38), (np.float64, 1e200)]
)
def test_huge_gradients_are_clipped_and_not_lost(dtype, size):
    large, small = Parameter(np.zeros(100, dtype)), Parameter(np.zeros((), np.float64))
    large.grad += dtype(size)
    small.grad += 1.0
    norm = clip_grad_norm([large, small], 1.0)
    assert norm == pytest.approx(10.0 * size, rel=1e-6)
    np.testing.assert_allclose(large.grad, 0.1, rtol=1e-6)
    assert small.grad == pytest.approx(0.1 / size, rel=1e-6)
    assert large.grad.dtype == dtype


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_gradients_that_are_no_numbers_are_refused_and_none_is_changed(bad):
    parameters = [Parameter(np.zeros(2)), Parameter(np.zeros(2)), Parameter(np.zeros(1))]
    parameters[0].grad += 30.0
    parameters[1].grad += [bad, 40.0]
    before = [parameter.grad.copy() for parameter in parameters]
    clips = [clip_grad_norm] + [clip_grad_value] * bool(np.isnan(bad))
    for clip in clips:
        with pytest.raises(FloatingPointError, match="a gradient holds NaN"):
            clip(parameters, 1.0)
    for parameter, gradient in zip(parameters, before, strict=True):
        np.testing.assert_array_equal(parameter.grad, gradient)


def test_gradients_of_zero_have_no_length():
    assert clip_grad_norm([Parameter(np.zeros(2)), Parameter(np.zeros((0, 3)))], 1.0) == 0.0


def test_a_learning_rate_of_zero_moves_nothing_and_one_that_is_no_number_is_refused():
    weight = Parameter(np.ones(2))
    optimizer = Adam([weight])
    weight.grad += 3.0
    optimizer.lr = 0.0
    optimizer.step()
    assert weight.data.tolist() == [1.0, 1.0]
    for value in [np.nan, np.inf, -1.0]:
        with pytest.raises(ValueError, match="lr must be a finite number of at least 0"):
            optimizer.lr = value
    assert optimizer.lr == 0.0
    assert optimizer.initial_lr == 1e-3


def test_what_an_optimiser_was_made_with_can_be_read():
    parameters = [Parameter(np.ones(1))]
    optimizer = RMSprop(parameters, lr=np.float64(0.5), momentum=0.25)
    optimizer.lr = 0.125
    assert (
        repr(optimizer) == "RMSprop(lr=0.5, alpha=0.99, eps=1e-08, momentum=0.25, weight_decay=0.0)"
    )
    assert repr(StepLR(optimizer, 3)) == "StepLR(step_size=3, gamma=0.1)"
    assert optimizer.lr == 0.5  # a schedule begins where the optimiser began


WEIGHT = [Parameter(np.ones(1))]
OPTIMIZER = SGD(WEIGHT, lr=1.0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: SGD(WEIGHT, lr=0.0), "lr must be positive, got 0.0"),
        (lambda: SGD(WEIGHT, lr=float("nan")), "lr must be positive, got nan"),
        (lambda: SGD(WEIGHT, lr=1.0, momentum=1.0), "momentum must lie"),
        (lambda: Adam(WEIGHT, betas=(0.9, 1.0)), "betas must lie"),
        (lambda: Adam([]), "parameters is empty"),
        (lambda: SGD(Linear(2, 2), lr=1.0), "must hold Parameters, as model.parameters.* Linear"),
        (lambda: clip_grad_norm([np.ones(1)], 1.0), "must hold Parameters, .* type ndarray"),
        (lambda: AdamW(WEIGHT, weight_decay=-0.1), "weight_decay must be finite and at least 0"),
        (lambda: ReduceLROnPlateau(OPTIMIZER, "least"), "mode must be 'min' or 'max'"),
        (lambda: ReduceLROnPlateau(OPTIMIZER, factor=1.0), "factor must lie in 0 … 1"),
        (lambda: ReduceLROnPlateau(OPTIMIZER, patience=-1), "patience must be a whole number"),
        (lambda: ReduceLROnPlateau(OPTIMIZER, threshold=-1.0), "threshold must be at least 0"),
        (
            lambda: SequentialLR(OPTIMIZER, [ReduceLROnPlateau(OPTIMIZER)], []),
            "schedulers holds a ReduceLROnPlateau",
        ),
        (lambda: clip_grad_norm(WEIGHT, 0.0), "max_norm must be positive"),
        (lambda: clip_grad_value(WEIGHT, -1.0), "max_value must be positive"),
        (lambda: RMSprop(WEIGHT, alpha=1.0), "alpha must lie in 0 … 1"),
        (lambda: RMSprop(WEIGHT, momentum=-0.1), "momentum must lie in 0 … 1"),
        (lambda: RMSprop(WEIGHT, lr=0.0), "lr must be positive"),
        (lambda: SGD(WEIGHT, lr=np.inf), "lr must be a finite number"),
        (lambda: StepLR(OPTIMIZER, 0), "step_size must be a whole number of at least 1, got 0"),
        (lambda: StepLR(OPTIMIZER, 2, gamma=1.5), "gamma must lie in 0 … 1"),
        (lambda: ExponentialLR(OPTIMIZER, 0.0), "gamma must lie in 0 … 1"),
        (lambda: ExponentialLR(OPTIMIZER, np.nan), "gamma must lie in 0 … 1"),
        (lambda: CosineAnnealingLR(OPTIMIZER, 2.5), "T_max must be a whole number"),
        (lambda: CosineAnnealingLR(OPTIMIZER, 2, eta_min=-1.0), "eta_min must be a finite number"),
        (lambda: LinearLR(OPTIMIZER, 0.0), "start_factor must lie in 0 … 1"),
        (lambda: LinearLR(OPTIMIZER, 0.5, 1.1), "end_factor must lie in 0 … 1, got 1.1"),
        (lambda: LinearLR(OPTIMIZER, total_iters=0), "total_iters must be a whole number"),
        (
            lambda: SequentialLR(OPTIMIZER, [StepLR(OPTIMIZER, 1)], [3]),
            "milestones must be one less than the 1 schedules, got 1",
        ),
        (
            lambda: SequentialLR(OPTIMIZER, [StepLR(OPTIMIZER, 1)] * 3, [3, 3]),
            r"milestones must grow, got \[3, 3\]",
        ),
        (
            lambda: SequentialLR(SGD(WEIGHT, lr=1.0), [StepLR(OPTIMIZER, 1)], []),
            "must all be over the same optimizer",
        ),
    ],
)
def test_a_wrong_argument_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_an_optimiser_without_a_step_and_a_schedule_without_a_rate_say_so():
    with pytest.raises(NotImplementedError, match="Optimizer defines no step"):
        Optimizer([Parameter(np.ones(1))], lr=0.1).step()
    with pytest.raises(NotImplementedError, match="Schedule defines no rate"):
        Schedule(OPTIMIZER)
