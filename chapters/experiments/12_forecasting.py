"""Chapter 12: who forecasts Seattle's weather, what leaks fake, and what prices tell beforehand.

`tuning` chooses the settings of every model on 2014, `weather` tests each once on 2015, `leaks`
lets the future in, `recursive` feeds forecasts back, `market` forecasts tomorrow's price and
`volatility` the size of its changes; `walks` asks how often chance alone looks like a gain. The
live figure draws weeks of 2015. About four minutes.
"""

import itertools
from functools import cache

import numpy as np
from record import cells, run

import rnnlib
from rnnlib.data import forecasting

SETTINGS = {
    "seeds": [0, 1, 2, 3, 4],
    "waves": [1, 2, 3],
    "ridge": {"days": [1, 2, 3, 7, 14], "columns": [1, 4], "penalty": [10.0, 100.0, 1000.0]},
    "arima": [
        [1, 0, 0],
        [2, 0, 0],
        [3, 0, 0],
        [1, 0, 1],
        [2, 0, 1],
        [1, 0, 2],
        [2, 0, 2],
        [0, 1, 1],
    ],
    "LSTM": {"H": [8, 24], "lr": [0.003, 0.01], "epochs": 40, "seeds": [10, 11, 12]},
    "leaks": {"seeds": [0, 1, 2], "short": [24, 10], "long": [64, 100]},  # H, epochs
    "market": {"seeds": [0, 1, 2], "H": [8, 16], "lr": [0.001, 0.003], "epochs": 12},
    "walks": {"count": 40, "T": 1000},
}
chapter = cells(
    *(
        "12_forecasting",
        "imports",
        "weather",
        "baselines",
        "ridge",
        "arima",
        "pinball",
        "forecaster",
    ),
    *("bootstrap", "recursive", "leaks", "prices", "volatility", "own"),
)
K, W = chapter.K, chapter.W
VALIDATION = chapter.validation, chapter.test
TEST = chapter.test, chapter.end


def rounded(values, digits=3):
    return np.round(np.asarray(values, float), digits).tolist()


# Weather


class Year:
    """A year that is forecast, and all that the models may see before it."""

    def __init__(self, first, end, J):
        self.first, self.J, self.n = first, J, chapter.origins(first, end)
        self.z, normals, self.spread = chapter.departures(first, J)
        self.normal = chapter.ahead(normals, self.n)
        self.targets = chapter.ahead(chapter.y, self.n)
        self.training = chapter.windows(self.z, W, first)
        self.x, self.future = chapter.windows(self.z, first, end)

    def celsius(self, told):
        return self.normal + self.spread * told

    def ridge(self, days, columns, penalty):
        (x, future), x_new = self.training, self.x[..., :columns]
        A = chapter.ridge(chapter.last_days(x[..., :columns], days), future, penalty)
        fitted = chapter.last_days(x[..., :columns], days) @ A
        band = np.quantile(future - fitted, chapter.quantiles, axis=0)  # (Q, K)
        told = chapter.last_days(x_new, days) @ A
        return self.celsius(told), self.celsius(told + band[0]), self.celsius(told + band[2])

    def arima(self, order):
        return self.celsius(chapter.arima(self.z[:, 0], self.first, self.n, order))

    def lstm(self, H, lr, epochs, seed, evaluate=False):
        model = chapter.Forecaster(4, H, K, 3, seed)
        options = {"lr": lr}
        if evaluate:
            y = self.future.astype(np.float32)
            options["evaluate"] = lambda: {"there": chapter.pinball(model(self.x), y)[0]}
        history = chapter.train(model, *self.training, seed, epochs, **options)
        return model, history

    def off(self, told):
        return float(abs(told - self.targets).mean())


@cache
def year(which, J):
    return Year(*(VALIDATION if which == "validation" else TEST), J)


def smallest(tried):
    return min(tried, key=tried.get)


@cache
def chosen():
    """The settings of each model: the smallest error on 2014."""
    found = {}
    tried = {
        (J,): year("validation", J).off(year("validation", J).normal) for J in SETTINGS["waves"]
    }
    found["normal"] = tried
    grid = itertools.product(SETTINGS["waves"], *SETTINGS["ridge"].values())
    found["ridge"] = {
        (J, *one): year("validation", J).off(year("validation", J).ridge(*one)[0])
        for J, *one in grid
    }
    found["ARIMA"] = {
        (J, tuple(order)): year("validation", J).off(year("validation", J).arima(order))
        for J in SETTINGS["waves"]
        for order in SETTINGS["arima"]
    }
    found["LSTM"], settings = {}, SETTINGS["LSTM"]
    for J, H, lr in itertools.product(SETTINGS["waves"], settings["H"], settings["lr"]):
        curves = [
            year("validation", J).lstm(H, lr, settings["epochs"], seed, evaluate=True)[1]["there"]
            for seed in settings["seeds"]
        ]
        curve = year("validation", J).spread * np.mean(curves, axis=0)  # in °C
        found["LSTM"][J, H, lr, int(curve.argmin()) + 1] = float(curve.min())
        print(J, H, lr, curve.argmin() + 1, curve.min(), flush=True)
    return found


def tuning():
    return {
        "tuning": {
            name: {
                "best": smallest(tried),
                "tried": {str(key): round(value, 4) for key, value in tried.items()},
            }
            for name, tried in chosen().items()
        }
    }


@cache
def tested():
    """The LSTMs of the test, one for each seed."""
    J, H, lr, epochs = smallest(chosen()["LSTM"])
    return [year("test", J).lstm(H, lr, epochs, seed)[0] for seed in SETTINGS["seeds"]]


def scores(told):
    targets, history = year("test", 1).targets, chapter.y[: TEST[0]]
    mase = [rnnlib.mase(told[:, k], targets[:, k], history) for k in range(K)]
    return {"rmse": rounded(chapter.rmse(told, targets)), "mase": rounded(mase)}


def interval(better, other, targets):
    """95% for how much smaller the first one's absolute error is, as a share of the other's."""
    a, b = (abs(told - targets).mean(axis=1) for told in (better, other))
    return rounded(chapter.block_interval(b - a) / b.mean())


def weather():
    best = {name: smallest(tried) for name, tried in chosen().items()}
    n, y = year("test", 1).n, chapter.y
    J, *settings = best["ridge"]
    ridge, low, high = year("test", J).ridge(*settings)
    told = {
        "as today": chapter.persistence(y, n),
        "as a year ago": chapter.ahead(y, n - 365),
        "normal": year("test", best["normal"][0]).normal,
        "ridge": ridge,
        "ARIMA": year("test", best["ARIMA"][0]).arima(best["ARIMA"][1]),
    }
    found = {name: scores(each) for name, each in told.items()}
    targets = year("test", 1).targets
    inside = (low <= targets) & (targets <= high)
    found["ridge"]["covered"] = rounded(inside.mean())
    found["ridge"]["covered interval"] = rounded(chapter.block_interval(inside.mean(axis=1)))
    here = year("test", best["LSTM"][0])
    bands = [here.celsius(model(here.x).transpose(2, 0, 1)) for model in tested()]
    each = [scores(band[1]) for band in bands]
    lstm = {"seeds": SETTINGS["seeds"]}
    for name in ("rmse", "mase"):
        lstm[name] = [one[name] for one in each]
    inside = [(band[0] <= targets) & (targets <= band[2]) for band in bands]
    lstm["below"] = rounded([(targets < band[0]).mean() for band in bands])
    lstm["above"] = rounded([(targets > band[2]).mean() for band in bands])
    lstm["covered"] = rounded([one.mean() for one in inside])
    lstm["covered by horizon"] = rounded([one.mean(axis=0) for one in inside])
    lstm["covered interval"] = rounded([chapter.block_interval(one.mean(axis=1)) for one in inside])
    for name in told:
        lstm[f"gain over {name}"] = [interval(band[1], told[name], targets) for band in bands]
    found["LSTM"] = lstm
    found["ridge"]["gain over as today"] = interval(ridge, told["as today"], targets)
    return found


# What leaks fake

LEAKS = {
    "none": "none",
    "normals": "normals of all years",
    "shuffled": "shuffled",
    "row": "tomorrow's row",
}


@cache
def leaked(name, size, seed):
    H, epochs = SETTINGS["leaks"][size]
    return chapter.leaky(LEAKS[name], seed, H, epochs)


def leaks():
    found = {}
    for name, size in [*((one, "short") for one in LEAKS), ("none", "long"), ("shuffled", "long")]:
        entry = {"seeds": SETTINGS["leaks"]["seeds"]}
        entry["rmse"] = [rounded(leaked(name, size, seed)[-1]) for seed in entry["seeds"]]
        found[f"{name}, {size}"] = entry
        print(name, size, np.mean(entry["rmse"], axis=0), flush=True)
    return found


# One step fed back


def fed_back(model, x):
    """The forecasts of a one-day model, (N, K): it reads its own as if they had happened."""
    for _ in range(K):
        x = np.concatenate([x, model(x[-W:])[None, :, 0, 1:2]])
    return x[W:, :, 0].T


def recursive():
    """Both ways on 2014, for models that see the temperature alone."""
    J, H, lr, epochs = smallest(chosen()["LSTM"])
    here, found = year("validation", J), {}
    (x, future), x_new = here.training, here.x[..., :1]
    x = x[..., :1]
    direct = chapter.ridge(chapter.last_days(x, W), future, 100.0)
    a = chapter.ridge(chapter.last_days(x, W), future[:, :1], 100.0)[:, 0]
    found["ridge"] = {
        "direct": rounded(
            here.spread * chapter.rmse(chapter.last_days(x_new, W) @ direct, here.future)
        ),
        "recursive": rounded(
            here.spread
            * chapter.rmse(chapter.last_days(x_new, W) @ chapter.repeated(a), here.future)
        ),
    }
    entry = {"seeds": SETTINGS["leaks"]["seeds"], "direct": [], "recursive": []}
    for seed in entry["seeds"]:
        model, one_day = (chapter.Forecaster(1, H, days, 3, seed) for days in (K, 1))
        chapter.train(model, x, future, seed, epochs, lr)
        chapter.train(one_day, x, future[:, :1], seed, epochs, lr)
        for name, told in (
            ("direct", model(x_new)[:, :, 1]),
            ("recursive", fed_back(one_day, x_new)),
        ):
            entry[name].append(rounded(here.spread * chapter.rmse(told, here.future)))
    found["LSTM"] = entry
    return found


# Prices


def scaled(columns, first):
    return (columns - columns[:first].mean(axis=0)) / columns[:first].std(axis=0)


def squared(forecast, y):
    return rnnlib.mse(forecast, y)


def market_lstm(columns, targets, first, end, days, H, lr, epochs, seed, evaluate=False):
    """The model's forecasts of targets from the origins first - 1 …, and the curve over epochs."""
    columns = scaled(columns, first)
    x, y, _ = chapter.market_windows(columns, targets, 22, first, days=days)
    middle, spread = y.mean(), y.std()
    x_new, y_new, t_new = chapter.market_windows(columns, targets, first, end, days=days)
    model = chapter.Forecaster(x.shape[2], H, 1, 1, seed)
    options = {"lr": lr, "loss": squared}
    if evaluate:
        there = ((y_new - middle) / spread).astype(np.float32)
        options["evaluate"] = lambda: {"there": squared(model(x_new), there)[0]}
    history = chapter.train(model, x, (y - middle) / spread, seed, epochs, **options)
    return middle + spread * model(x_new)[:, 0, 0].astype(float), t_new, history.get("there")


def r_squared(told, right):
    return float(1 - ((told - right) ** 2).sum() / ((right - right.mean()) ** 2).sum())


def best_market(columns, targets, days):
    """Hidden size, learning rate and epochs with the smallest error on 2011 – 2014."""
    settings, tried = SETTINGS["market"], {}
    for H, lr in itertools.product(settings["H"], settings["lr"]):
        curves = [
            market_lstm(
                columns, targets, *chapter.cut[:2], days, H, lr, settings["epochs"], seed, True
            )[2]
            for seed in SETTINGS["LSTM"]["seeds"][:2]
        ]
        curve = np.mean(curves, axis=0)
        tried[H, lr, int(curve.argmin()) + 1] = float(curve.min())
    return smallest(tried), {str(key): round(value, 4) for key, value in tried.items()}


def market():
    r, close = chapter.r, chapter.close
    tomorrow = np.append(r[1:], np.nan)  # the return that follows each day
    columns = np.column_stack([r, chapter.reach])
    best, tried = best_market(columns, tomorrow, 1)
    found = {"seeds": SETTINGS["market"]["seeds"], "tuning": {"best": best, "tried": tried}}
    names = ("rmse", "R2 of the price", "R2 of the return", "direction", "gain over as today")
    found |= {name: [] for name in names}
    for seed in found["seeds"]:
        told, t, _ = market_lstm(columns, tomorrow, *chapter.cut[1:], 1, *best, seed)
        price, right, now = close[t] * np.exp(told / 100), close[t + 1], close[t]
        a, b = (price - right) ** 2, (now - right) ** 2
        found["rmse"].append(rounded(np.sqrt(a.mean())))
        found["R2 of the price"].append(rounded(r_squared(price, right), 4))
        found["R2 of the return"].append(rounded(r_squared(told, tomorrow[t]), 4))
        found["direction"].append(rounded(np.mean((told > 0) == (tomorrow[t] > 0))))
        found["gain over as today"].append(rounded(chapter.block_interval(b - a) / b.mean(), 4))
        if seed == 0:
            shown = rounded(price[-60:], 1)
    naive = {
        "rmse": rounded(np.sqrt(b.mean())),
        "R2 of the price": rounded(r_squared(now, right), 4),
    }
    naive["always up"] = rounded(np.mean(tomorrow[t] > 0))
    return found | {"as today": naive, "once": {"price": shown, "why": "to be drawn"}}


def volatility():
    r, reach = chapter.r, chapter.reach
    columns = np.column_stack([r, chapter.log_size(r**2), chapter.log_size(reach**2)])
    (first, middle, end), found = chapter.cut, {}
    for name, series in (("HAR", [r]), ("HAR with range", [r, reach])):
        for part, (a, b) in {"validation": (first, middle), "test": (middle, end)}.items():
            t, t_new = np.arange(22, a - 5), np.arange(a - 1, b - 5)
            w = np.linalg.lstsq(chapter.har(series, t), chapter.volatility[t])[0]
            told = chapter.har(series, t_new) @ w
            found.setdefault(name, {})[part] = rounded(r_squared(told, chapter.volatility[t_new]))
    best, tried = best_market(columns, chapter.volatility, 5)
    entry = {"seeds": SETTINGS["market"]["seeds"], "tuning": {"best": best, "tried": tried}}
    entry |= {"validation": [], "test": [], "gain over HAR with range": []}
    for seed in entry["seeds"]:
        for part, (a, b) in {"validation": (first, middle), "test": (middle, end)}.items():
            mine, t_new, _ = market_lstm(columns, chapter.volatility, a, b, 5, *best, seed)
            entry[part].append(rounded(r_squared(mine, chapter.volatility[t_new])))
        right = chapter.volatility[t_new]
        a, b = (mine - right) ** 2, (told - right) ** 2
        entry["gain over HAR with range"].append(rounded(chapter.block_interval(b - a) / b.mean()))
    found["LSTM"] = entry
    return found


def walks():
    settings = SETTINGS["walks"]
    says = [
        chapter.compare(forecasting.random_walk(settings["T"], seed))
        for seed in range(settings["count"])
    ]
    return {"wins": sum(not one.startswith("use the naive") for one in says), "of": len(says)}


# The live figure


def in_tenths(values):
    return np.round(10 * np.asarray(values)).astype(int).tolist()


def weeks():
    """One week of each month of 2015: honest forecasts, and those with a leak, in tenths of °C.

    Each is in no training set: the weeks are taken from what the shuffled split calls its test.
    """
    here = year("test", 2)
    order = np.random.default_rng(0).permutation(len(chapter.windows(here.z, W, TEST[1])[1]))
    held = order[: len(here.n)] + W - 1
    months = np.arange("2015-01", "2016-01", dtype="datetime64[M]").astype("datetime64[D]")
    starts = np.searchsorted(chapter.dates, months)
    n = np.array([next(t for t in here.n if t >= start and t in held) for start in starts])
    rows = n - here.n[0]
    past = chapter.y[n[:, None] + np.arange(-6, 1)]
    found = {
        "days": chapter.dates[n].astype(str).tolist(),
        "past": in_tenths(past),
        "came": in_tenths(here.targets[rows]),
        "normal": in_tenths(here.normal[rows]),
        "drawn": {},
    }
    for name in LEAKS:
        size = "long" if name == "shuffled" else "short"
        model, z, normals, spread, score = leaked(name, size, 0)
        x = z[n - np.arange(W)[::-1, None]]  # (W, N, I)
        told = chapter.ahead(normals, n)[..., None] + spread * model(x)
        honest = leaked("none", size, 0)[-1]
        scores = {"rmse": in_tenths(score), "honest": in_tenths(honest)}
        found["drawn"][name] = {"told": in_tenths(told)} | scores
    naive = chapter.persistence(chapter.y, here.n)
    found["rmse"] = {
        "as today": in_tenths(chapter.rmse(naive, here.targets)),
        "normal": in_tenths(chapter.rmse(here.normal, here.targets)),
    }
    return found


PARTS = {
    "tuning": tuning,
    "weather": weather,
    "leaks": leaks,
    "recursive": recursive,
    "market": market,
    "volatility": volatility,
    "walks": walks,
}

if __name__ == "__main__":
    run(__file__, SETTINGS, PARTS, {"forecasting": weeks})
