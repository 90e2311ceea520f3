"""How a page that `grading` makes is looked at: in Chromium, by axe, in every guise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from browser import resize
from browsing import AXE, violations


def problems_of(browser: Any, path: Path, pictures: Path | None = None) -> list[str]:
    """Everything wrong with a page: what axe finds, foreign requests, errors, sideways scroll.

    Light and dark, at 1280 and 390 px; with `pictures`, a screenshot of each is kept there.
    """
    # the page's own policy refuses every script, axe's too: this is a visit without it
    context = browser.new_context(viewport={"width": 1280, "height": 900}, bypass_csp=True)
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(f"exception: {error}"))
    page.on(
        "request",
        lambda request: (
            None
            if request.url.startswith((path.as_uri(), "data:"))
            else problems.append(f"request: {request.url}")
        ),
    )
    page.goto(path.as_uri())
    page.add_script_tag(content=AXE.read_text(encoding="utf-8"))
    for scheme, width in (("light", 1280), ("light", 390), ("dark", 390), ("dark", 1280)):
        page.emulate_media(color_scheme=scheme)
        resize(page, width)
        problems += [f"{scheme}, {width} px: {violation}" for violation in violations(page)]
        if pictures is not None:
            name = f"{path.stem}-{scheme}-{width}.png"
            page.screenshot(path=pictures / name, full_page=True)
    resize(page, 360)
    wide = page.evaluate("document.documentElement.scrollWidth")
    if wide > 360:
        problems.append(f"sideways scroll: {wide} px at 360 px")
    context.close()
    return problems


def with_policy(browser: Any, path: Path) -> tuple[str, list[str]]:
    """The page's title after all its scripts have had their chance, and its requests."""
    context = browser.new_context()
    page = context.new_page()
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.goto(path.as_uri())
    page.wait_for_timeout(300)
    title = page.title()
    context.close()
    return title, [url for url in requests if not url.startswith((path.as_uri(), "data:"))]
