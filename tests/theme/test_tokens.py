"""One file of colours: legible in both themes, and nowhere written a second time."""

from __future__ import annotations

import re
from pathlib import Path

import matplotlib.colors as colours
import numpy as np
import pytest

from rnnlib import plot

ROOT = Path(__file__).parents[2]
TOKENS = ROOT / "rnnlib" / "tokens.css"
PAIRS = {
    name: {"light": light, "dark": dark}
    for name, light, dark in re.findall(
        r"--([\w-]+): var\(--light, (#\w+)\) var\(--dark, (#\w+)\);", TOKENS.read_text()
    )
}
ROLES = ("rnn", "lstm", "gru", "baseline", "best", "input", "state", "output")


def contrast(one: str, other: str) -> float:
    """The ratio of two colours' luminances, as WCAG 2.2 defines it: 1 to 21."""

    def luminance(colour):
        c = np.array(colours.to_rgb(colour))
        return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4) @ [
            0.2126,
            0.7152,
            0.0722,
        ]

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_measured_as_wcag_does():
    assert contrast("#000", "#fff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_colour_is_legible(theme):
    at = {name: pair[theme] for name, pair in PAIRS.items()}
    texts = ("ink", "muted", "accent", "warm", "string", "number", "error", *ROLES)
    wanted = {(text, "paper"): 4.5 for text in texts}
    wanted |= {(text, "shade"): 4.5 for text in texts if text != "baseline"}
    wanted |= {("edge", "paper"): 3, ("edge", "shade"): 3, ("ink", "selection"): 4.5}
    wanted |= {("ink", name): 4.5 for name in at if name.endswith("wash")}
    wanted |= {(role, f"{role}-wash"): 4.5 for role in ("input", "state", "output", "warm")}
    wanted |= {("accent", "wash"): 4.5}
    low = {pair: contrast(*(at[name] for name in pair)) for pair in wanted}
    assert {pair: ratio for pair, ratio in low.items() if ratio < wanted[pair]} == {}


def test_printed_figures_take_the_light_ones():
    for role in ROLES:
        assert plot.COLORS[role] == PAIRS[role]["light"]
        assert contrast(plot.COLORS[role], "white") >= 3


def test_no_colour_is_written_a_second_time():
    files = [*ROOT.glob("theme/*.html"), *ROOT.glob("theme/static/*.css")]
    files += [*ROOT.glob("theme/figures/*.js"), *ROOT.glob("grading/**/*.py")]
    files += [ROOT / "rnnlib/plot.py"]
    assert len(files) > 20
    for path in files:
        found = re.findall(
            r"(?<!&)#(?:[0-9a-f]{6}|[0-9a-f]{3})\b", path.read_text(encoding="utf-8")
        )
        assert not found, f"{path.name}: {found} belong into rnnlib/tokens.css"


def rgb(colour: str) -> str:
    return "rgb({}, {}, {})".format(*(round(255 * part) for part in colours.to_rgb(colour)))


def test_colours_follow_the_system_the_reader_and_paper(browser):
    """As the system says; as the reader chose, whatever the system says; light when printed."""
    context = browser.new_context()
    page = context.new_page()
    body = "<body style='background: var(--paper)'>"
    page.set_content(f"<!doctype html><style>{TOKENS.read_text()}</style>{body}")
    seen = "getComputedStyle(document.body).backgroundColor"
    scheme = "getComputedStyle(document.documentElement).colorScheme"
    for chosen in (None, "light", "dark"):
        for system in ("light", "dark"):
            page.emulate_media(color_scheme=system, media="screen")
            page.evaluate(
                """(theme) => theme ? document.documentElement.dataset.theme = theme
                     : delete document.documentElement.dataset.theme""",
                chosen,
            )
            theme = chosen or system
            assert page.evaluate(seen) == rgb(PAIRS["paper"][theme]), (chosen, system)
            assert page.evaluate(scheme) == theme
            page.emulate_media(media="print")
            assert page.evaluate(seen) == rgb(PAIRS["paper"]["light"])
    context.close()
