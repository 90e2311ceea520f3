"""Where the built site is, and what a page must not do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from browser import PATIENCE

ROOT = Path(__file__).parents[2]
HTML = ROOT / "_build" / "html"
AXE = ROOT / "theme" / "node_modules" / "axe-core" / "axe.min.js"


def watch(page, site: str) -> list[str]:
    """A list that fills with console errors, exceptions and requests to other hosts."""
    problems: list[str] = []
    local = (site + "/", "data:", "blob:", "about:")

    def on_console(message):
        if message.type == "error":
            problems.append(f"console: {message.text}")

    def on_request(request):
        if not request.url.startswith(local):
            problems.append(f"request to another host: {request.url}")

    page.on("console", on_console)
    page.on("pageerror", lambda error: problems.append(f"exception: {error}"))
    page.on("request", on_request)
    return problems


def hold(page: Any, addresses: str) -> Callable[[], Any]:
    """Have requests wait for their answer; what comes back gives the next of them, once it is made.

    Playwright's `expect_request` would come too early: a request is seen before it can be answered.
    """
    held: list[Any] = []
    page.route(addresses, lambda route: held.append(route))

    def asked() -> Any:
        for _ in range(PATIENCE // 10):
            if held:
                return held.pop(0)
            page.wait_for_timeout(10)
        raise AssertionError(f"nothing asked for {addresses}")

    return asked


def violations(page, where: str = "document") -> list[str]:
    """What axe finds, by its rules for WCAG 2.2 A and AA, its best practices, and one more.

    `where` is a selector; a figure's violations come without those of the page around it.
    """
    result = page.evaluate(
        """(where) => axe.run(where === "document" ? document : where, {
             rules: Object.fromEntries(axe.getRules()
               .filter(({ ruleId, tags }) => ruleId === "label-content-name-mismatch" ||
                 !tags.includes("wcag2aaa") && !tags.includes("experimental"))
               .map(({ ruleId }) => [ruleId, { enabled: true }])),
             resultTypes: ["violations"] })""",
        where,
    )
    return [
        f"{found['id']}: {node['target']}: {node['failureSummary']}"
        for found in result["violations"]
        for node in found["nodes"]
    ]
