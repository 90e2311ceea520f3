"""A page can be shared, found, cited, and says which version it is."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from functools import cache

import yaml
from browsing import HTML, ROOT
from bs4 import BeautifulSoup
from PIL import Image

import rnnlib
from theme.addresses import published_at

SITE = published_at(yaml.safe_load((ROOT / "_config.yml").read_text())["repository"]["url"])
OWN = [
    path.relative_to(HTML).as_posix()
    for path in sorted([*HTML.glob("*.html"), *HTML.glob("api/*.html")])
    if path.stem not in ("404", "search")
]


@cache
def soup(name: str) -> BeautifulSoup:
    return BeautifulSoup((HTML / name).read_text(), "html.parser")


def test_a_link_to_a_page_shows_its_picture(html):
    shown = set()
    for name in OWN:
        address = soup(name).find("meta", property="og:image")["content"]
        path = html / address.removeprefix(SITE)
        assert path.is_file(), address
        shown.add(path)
    assert len(shown) > 10
    for path in shown:
        with Image.open(path) as picture:
            assert picture.size == (1200, 630)
        assert 2_000 < path.stat().st_size < 60_000


def test_the_sitemap_lists_every_page(html):
    root = ET.parse(html / "sitemap.xml").getroot()
    listed = [element.text for element in root.findall("{*}url/{*}loc")]
    assert sorted(listed) == sorted(SITE + name for name in OWN)


def test_every_page_says_how_to_cite_it(html):
    for name in OWN:
        entry = soup(name).select_one(".foot pre").text
        assert f"url     = {{{SITE}{name}}}" in entry
        assert f"version = {{{rnnlib.__version__}}}" in entry
        title = soup(name).h1.find(string=True, recursive=False)
        assert title is None or f"{{{title.strip()}. In: Unrolled" in entry


def test_the_version_is_said_in_one_way(html):
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert cited["version"] == rnnlib.__version__
    newest = soup("changes.html").h2.find(string=True, recursive=False)
    assert newest == rnnlib.__version__
    for name in OWN:
        assert f"Version {rnnlib.__version__}" in soup(name).select_one(".foot").text


def test_the_source_of_a_page_is_a_file_of_the_repository(html):
    for name in OWN:
        link = soup(name).select_one(".foot").find("a", string="Source of this page")["href"]
        assert (ROOT / link.partition("/blob/main/")[2]).is_file(), link
