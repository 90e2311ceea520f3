"""Addresses, all made from the one of the repository in _config.yml."""

from __future__ import annotations

import re
from functools import cache
from urllib.parse import urlsplit

from sphinx.application import Sphinx

from theme import ROOT

COLAB = "https://colab.research.google.com/github"
EXERCISES_BRANCH = "exercises"
FILES = r"(chapters|experiments|grading|rnnlib|solutions|tests|theme|tools)/[\w./-]*$|\w+\.py$"


def repository(config) -> str:
    return config.html_theme_options["repository_url"].rstrip("/")


def published_at(repository_url: str) -> str:
    """Where GitHub Pages publishes a repository."""
    owner, name = urlsplit(repository_url).path.strip("/").split("/")
    return f"https://{owner.lower()}.github.io/{name}/"


def colab(config, branch: str, path: str) -> str:
    return f"{COLAB}{urlsplit(repository(config)).path}/blob/{branch}/{path}"


def file_of(config, name: str) -> str | None:
    """Where the repository shows a file that a text names, from its root or from chapters/."""
    if not re.match(FILES, name):
        return None
    for root in (ROOT, ROOT / "chapters"):
        found = (root / name).resolve()
        if found.exists():
            kind = "tree" if found.is_dir() else "blob"
            return f"{repository(config)}/{kind}/main/{found.relative_to(ROOT).as_posix()}"
    return None


@cache
def version() -> str:
    return re.search(r'^__version__ = "(.+)"', (ROOT / "rnnlib/__init__.py").read_text(), re.M)[1]


def wheel_name() -> str:
    return f"rnnlib-{version()}-py3-none-any.whl"


def configure(app: Sphinx, config) -> None:
    config.project, config.version = config.html_title, version()  # Jupyter Book sets neither
    config.html_baseurl = config.html_baseurl or published_at(repository(config))
    # Sphinx reads all pages again when one of these changes
    config.addresses = [wheel_name(), repository(config)]
    # What launch buttons and the theme of Jupyter Book would use; this theme takes one address.
    config.html_theme_options = {"repository_url": repository(config)}


def install_line(config) -> str:
    """The one line of the page Getting started, of each zip, and of each notebook's first cell."""
    wheel = f"{config.html_baseurl}exercises/{wheel_name()}"
    return f'python -m pip install jupyterlab nbgrader "rnnlib[plot,progress] @ {wheel}"'


def fill_in(app: Sphinx, docname: str, source: list[str]) -> None:
    """Put addresses into pages: @REPOSITORY@, @INSTALL@ (the line), @WHEELFILE@ (rnnlib's name)."""
    source[0] = (
        source[0]
        .replace("@REPOSITORY@", repository(app.config))
        .replace("@INSTALL@", install_line(app.config))
        .replace("@WHEELFILE@", wheel_name())
    )


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_config_value("addresses", [], "env")
    app.connect("config-inited", configure)
    app.connect("source-read", fill_in)
    return {"parallel_read_safe": True}
