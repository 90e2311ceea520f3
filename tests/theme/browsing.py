"""Where the built site is, and what a page must not do."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]
HTML = ROOT / "_build" / "html"


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
