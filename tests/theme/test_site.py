"""The site as a whole: links, search, the way through it, and what can be taken along."""

from __future__ import annotations

import hashlib
import importlib
import inspect
import io
import json
import pkgutil
import re
import subprocess
import sys
import urllib.error
import urllib.request
import zipfile
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import ClassVar
from urllib.parse import unquote, urljoin, urlsplit

import pytest
import yaml
from browser import stop_clock
from browsing import HTML, ROOT, watch
from bs4 import BeautifulSoup

import rnnlib

CONFIG = yaml.safe_load((ROOT / "_config.yml").read_text())
REPOSITORY = CONFIG["repository"]["url"]
CHAPTERS = sorted(path.stem for path in (ROOT / "chapters").glob("[0-9][0-9]_*.ipynb"))
ASSIGNMENTS = sorted(path.name for path in (ROOT / "solutions").glob("*/"))
COLAB = f"https://colab.research.google.com/github{urlsplit(REPOSITORY).path}/blob"


class Page(HTMLParser):
    def __init__(self, path: Path):
        super().__init__()
        self.base, self.links, self.ids = "", [], set()
        self.feed(path.read_text())

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.ids |= {attrs[key] for key in ("id", "name") if attrs.get(key)}
        if tag == "base":
            self.base = attrs["href"]
        elif tag != "link" or attrs.get("rel") != "canonical":
            self.links += [attrs[key] for key in ("href", "src", "action") if attrs.get(key)]


@cache
def pages() -> dict[str, Page]:
    return {
        str(path.relative_to(HTML)): Page(path)
        for path in HTML.rglob("*.html")
        if "_static" not in path.parts
    }


def test_no_link_inside_the_site_is_broken(html):
    broken = []
    for name, page in pages().items():
        base = page.base or "/unrolled/"
        for link in page.links:
            if urlsplit(link).scheme:
                continue
            here = urljoin("http://host" + base, "" if page.base else name)
            address = urlsplit(urljoin(here, link))
            target = unquote(address.path.removeprefix(base)) or "index.html"
            if not (html / target).is_file():
                broken.append(f"{name}: {link}")
            elif target in pages() and address.fragment:
                ids = pages()[target].ids
                broken += [] if unquote(address.fragment) in ids else [f"{name}: {link} (no place)"]
    assert sum(len(page.links) for page in pages().values()) > 200
    assert not broken, "\n".join(sorted(set(broken)))


def test_links_to_the_project_all_start_from_the_configured_address():
    from theme.addresses import published_at

    owner = urlsplit(REPOSITORY).path.split("/")[1]
    own = (REPOSITORY, COLAB, published_at(REPOSITORY))
    links = {link for page in pages().values() for link in page.links if owner in link}
    assert len(links) > 10
    assert not [link for link in links if not link.startswith(own)]


def test_next_leads_through_the_whole_book_and_previous_back(html):
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text())
    folder = ROOT / "chapters"

    def names(entries: list[dict]) -> list[str]:
        found = []
        for entry in entries:
            paths = sorted(folder.glob(entry.get("glob", "-")))
            found += [path.relative_to(folder).with_suffix("").as_posix() for path in paths]
            found += [entry["file"]] if "file" in entry else []
            found += names(entry.get("sections", []))
        return found

    files = names([entry for part in toc["parts"] for entry in part["chapters"]])
    order = [f"{name}.html" for name in [toc["root"], *files]]

    def turn(name: str, way: str) -> str | None:
        match = re.search(rf'<a class="{way}" href="([^"]+)"', (html / name).read_text())
        return match and urljoin(name, match[1])

    assert [turn(name, "next") for name in order] == [*order[1:], None]
    assert [turn(name, "prev") for name in order] == [None, *order[:-1]]
    assert set(CHAPTERS) <= set(files), "a chapter is not in _toc.yml"


def test_every_chapter_has_its_place_in_the_course():
    course = yaml.safe_load((ROOT / "chapters" / "course.yml").read_text(encoding="utf-8"))
    slugs = list(course["chapters"])
    assert [int(slug[:2]) for slug in slugs] == list(range(1, len(slugs) + 1))
    assert set(CHAPTERS) <= set(slugs)
    weeks = [number for _, *numbers in course["weeks"] for number in numbers]
    assert weeks == list(range(1, len(slugs) + 1))
    kept = {n for group in course["promises"].values() for _, *numbers in group for n in numbers}
    assert kept <= set(weeks)


@pytest.mark.parametrize("address", ["nowhere.html", "deep/er/nowhere", "unrolled/nowhere.html"])
def test_an_unknown_address_answers_404_with_working_links(site, browser, address):
    context = browser.new_context()
    page = context.new_page()
    problems = watch(page, site)
    response = page.goto(f"{site}/{address}")
    assert response.status == 404
    assert page.text_content("h1") == "No page here"
    # its styles arrived, although the address lies somewhere else
    assert page.evaluate("getComputedStyle(document.querySelector('.top')).position") == "sticky"
    page.click("article a >> text=The course, from its first page")
    page.wait_for_url("**/index.html")
    assert page.text_content("h1").startswith("Networks that remember")
    context.close()
    # the browser reports the 404 itself, and nothing else
    assert len(problems) == 1 and "404" in problems[0], problems


def test_colours_follow_the_system_and_the_reader(site, page):
    page.goto(f"{site}/start.html")
    theme = "document.documentElement.dataset.theme"
    assert page.evaluate(theme) == "light"
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"{theme} === 'dark'")
    page.focus(".mode")
    page.keyboard.press("Enter")  # from the system's to light
    assert page.evaluate(theme) == "light"
    assert page.get_attribute(".mode", "aria-label") == "Colours: light"
    page.goto(f"{site}/notation.html")
    assert page.evaluate(theme) == "light", "the choice is remembered"
    background = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(background)
    page.click(".mode")
    assert page.evaluate(theme) == "dark" and page.evaluate(background) != light


def test_contents_open_and_close_by_keyboard_on_a_phone(site, page):
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(f"{site}/start.html")
    assert not page.is_visible("#contents")
    page.focus(".menu")
    page.keyboard.press("Enter")
    assert page.is_visible("#contents")
    assert page.get_attribute(".menu", "aria-expanded") == "true"
    page.keyboard.press("Escape")
    assert not page.is_visible("#contents")
    page.keyboard.press("Enter")
    page.click("#contents a >> text=Glossary")
    page.wait_for_url("**/glossary.html")


def test_pages_can_be_read_and_turned_without_scripts(site, browser):
    context = browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 800})
    page = context.new_page()
    page.goto(f"{site}/notation.html")
    assert page.is_visible("h1") and page.is_visible(".katex-html >> nth=0")
    page.click(".turn .next")
    page.wait_for_url("**/glossary.html")
    assert page.is_visible("#contents a >> text=Notation")
    context.close()


def test_code_can_be_copied(site, browser):
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(f"{site}/start.html")
    stop_clock(page)  # "Copied" stands for a moment only
    page.hover(".highlight >> nth=0")
    page.click(".copy >> nth=0")
    page.wait_for_selector(".copy >> text=Copied")
    assert page.evaluate("navigator.clipboard.readText()") == (
        "mkdir unrolled\ncd unrolled\npython3 -m venv .venv\nsource .venv/bin/activate"
    )
    context.close()


# What can be taken along


def test_what_a_page_plays_is_on_the_site_small_named_and_silent_until_asked(html):
    players = [
        (page, player)
        for page in sorted(html.glob("*.html"))
        for player in BeautifulSoup(page.read_text("utf-8"), "html.parser")(["audio", "video"])
    ]
    assert players, "no page plays anything"
    for page, player in players:
        file = page.parent / player["src"]
        assert 1_000 < file.stat().st_size <= 150_000, f"{page.name}: {player}"
        assert player["preload"] == "none" and player.has_attr("controls"), f"{page.name}: {player}"
        assert not player.has_attr("autoplay"), f"{page.name}: {player}"
        assert len(player.get("aria-label", "").split()) > 3, f"{page.name}: {player}"


@pytest.mark.parametrize("slug", ASSIGNMENTS)
def test_exercise_stands_next_to_its_chapter(html, slug):
    released = ROOT / "exercises" / slug / f"{slug}.ipynb"
    assert (html / "exercises" / slug / f"{slug}.ipynb").read_bytes() == released.read_bytes()
    if slug in CHAPTERS:
        links = pages()[f"{slug}.html"].links
        assert f"exercises/{slug}/{slug}.ipynb" in links
        assert f"exercises/{slug}/{slug}.zip" in links
        assert f"{COLAB}/exercises/{slug}/{slug}.ipynb" in links
        assert "exercise" in pages()[f"{slug}.html"].ids


@pytest.mark.parametrize("slug", ASSIGNMENTS)
def test_zip_holds_all_that_an_exercise_needs(html, slug):
    archive = zipfile.ZipFile(html / "exercises" / slug / f"{slug}.zip")
    wheel = f"rnnlib-{rnnlib.__version__}-py3-none-any.whl"
    names = {f"{slug}/README.txt", f"{slug}/{slug}.ipynb", f"{slug}/{wheel}"}
    assert set(archive.namelist()) == names
    assert wheel in archive.read(f"{slug}/README.txt").decode()
    package = zipfile.ZipFile(io.BytesIO(archive.read(f"{slug}/{wheel}")))
    for path in (ROOT / "rnnlib").glob("*.py"):
        assert package.read(f"rnnlib/{path.name}") == path.read_bytes()


def test_the_same_exercises_make_the_same_zips(html, tmp_path):
    from theme.addresses import published_at
    from theme.downloads import copy_exercises

    class config:
        html_baseurl = published_at(REPOSITORY)

    copy_exercises(tmp_path, config)

    def digests(folder: Path) -> dict[str, str]:
        files = [*folder.glob("*/*.zip"), *folder.glob("*.whl")]
        return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}

    again = digests(tmp_path / "exercises")
    assert len(again) == len(ASSIGNMENTS) + 1
    assert again == digests(html / "exercises")


def test_the_wheel_installs_alone_and_works(html, tmp_path):
    """What a student does who has only the zip: install the wheel, import rnnlib."""
    wheel = html / "exercises" / f"rnnlib-{rnnlib.__version__}-py3-none-any.whl"
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*install, "--target", str(tmp_path), str(wheel)], check=True)
    code = "import rnnlib; print(rnnlib.__file__); rnnlib.RNN(2, 3, seed=0)"
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert run.stdout.startswith(str(tmp_path))


def test_one_install_line_stands_in_the_page_in_each_zip_and_in_each_notebook(html):
    page = BeautifulSoup((html / "start.html").read_text(), "html.parser")
    lines = [block.text.strip() for block in page.select(".highlight-bash pre")]
    [line] = [line for line in lines if " @ http" in line]
    address = re.search(r"https://\S+\.whl", line)[0]
    assert (html / "exercises" / Path(address).name).is_file()
    assert not re.search(r"@[A-Z]+@", page.text), "a placeholder was left"
    for slug in ASSIGNMENTS:
        archive = zipfile.ZipFile(html / "exercises" / slug / f"{slug}.zip")
        assert line in archive.read(f"{slug}/README.txt").decode()
    for path in [*html.glob("downloads/*.ipynb"), *html.glob("exercises/*/*.ipynb")]:
        cells = json.loads(path.read_text())["cells"]
        setup = next("".join(cell["source"]) for cell in cells if cell.get("id") == "setup")
        names: dict[str, str] = {}
        exec("\n".join(re.findall("^(?:SITE|RNNLIB|INSTALL) = .+", setup, re.M)), names)
        told = names["INSTALL"]
        assert told.removeprefix("In a terminal: ") == line, path.name


def test_no_zip_unpacks_into_the_environment_or_another_zip(html):
    page = (html / "start.html").read_text()
    made = re.findall(r"-m venv (\S+)", re.sub(r"<[^>]+>", "", page))
    assert len(made) == 2 and set(made) == {".venv"}
    folders = {}
    for path in [*html.glob("downloads/*.zip"), *html.glob("exercises/*/*.zip")]:
        [folder] = {name.split("/")[0] for name in zipfile.ZipFile(path).namelist()}
        assert folder not in (*made, "unrolled")
        assert folders.setdefault(folder, path) == path
        if readme := [name for name in zipfile.ZipFile(path).namelist() if "README" in name]:
            text = zipfile.ZipFile(path).read(readme[0]).decode()
            assert "python3 -m venv .venv" in text and "Set-ExecutionPolicy" in text


def test_the_site_shows_no_solution_and_no_hidden_test(html):
    words = re.compile(rb"BEGIN (SOLUTION|HIDDEN TESTS|MARK SCHEME)")
    for path in html.rglob("*"):
        if path.suffix in (".html", ".ipynb", ".js", ".json", ".txt"):
            assert not words.search(path.read_bytes()), path
        elif path.suffix == ".zip":
            archive = zipfile.ZipFile(path)
            for name in archive.namelist():
                if not name.endswith(".whl"):
                    assert not words.search(archive.read(name)), f"{path}: {name}"


def test_the_site_does_not_tell_where_it_was_built(html):
    for path in html.rglob("*"):
        if path.suffix in (".html", ".ipynb", ".js", ".json", ".css"):
            assert str(ROOT).encode() not in path.read_bytes(), path


# The reference


def public_names() -> list[tuple[str, str, object]]:
    names = []
    for module in pkgutil.walk_packages(rnnlib.__path__, "rnnlib."):
        if module.name == "rnnlib.__main__":
            continue  # a command
        loaded = importlib.import_module(module.name)
        for name, value in vars(loaded).items():
            own = getattr(value, "__module__", None) == module.name
            kind = inspect.isroutine(value) or inspect.isclass(value)
            if own and kind and not name.startswith("_"):
                names.append((module.name, name, value))
    return names


def reference(module: str) -> str:
    return f"api/{module.removeprefix('rnnlib.')}.html"


def test_the_reference_lists_every_public_name(html):
    names = public_names()
    assert len(names) > 30
    missing = [
        f"{m}.{name}" for m, name, _ in names if f"{m}.{name}" not in pages()[reference(m)].ids
    ]
    assert not missing, f"not in the reference: {missing}"
    links = pages()["api.html"].links
    missing = [f"{m}.{name}" for m, name, _ in names if f"{reference(m)}#{m}.{name}" not in links]
    assert not missing, f"not in a table of chapters/api.md: {missing}"
    modules = {module.name for module in pkgutil.iter_modules(rnnlib.__path__)}
    assert set(rnnlib.__all__) <= {name for _, name, _ in names} | modules


def test_every_name_links_to_the_chapter_that_derives_it(html):
    linked = 0
    for module, name, value in public_names():
        chapter = re.search(r"chapter (\d\d_\w+)", value.__doc__ or "")
        if not chapter:
            continue
        text = (html / reference(module)).read_text()
        start = text.index(f'id="{module}.{name}"')
        entry = text[start : text.find('<dt class="sig', start + 10)]
        if chapter[1] in CHAPTERS:
            assert f'href="../{chapter[1]}.html"' in entry, f"{module}.{name}: {chapter[1]}"
            linked += 1
        else:
            assert f'chapter {chapter[1][:2]}<span class="coming"> to come' in entry
    assert linked > 5


def test_the_reference_says_nothing_that_python_says_for_itself(html):
    """And a formula in a docstring is not coloured as code."""
    for path in [html / "api.html", *html.glob("api/*.html")]:
        article = BeautifulSoup(path.read_text(), "html.parser").article
        assert "Alias for field number" not in article.text
        assert not re.search(r"chapter \d\d_|\bchapter \d\b", article.text)
        for block in article.select(".highlight"):
            coloured = block.select("span[class]:not(.linenos)")
            assert not coloured or ">>>" in block.text, f"{path.name}: {block.text[:60]}"


def test_the_notation_page_agrees_with_the_code(html):
    from rnnlib import rnn_step

    text = (html / "notation.html").read_text()
    for name in inspect.signature(rnn_step).parameters:
        assert f">{name}</span></code>" in text, f"{name} of rnn_step is not in the table"
    for table in BeautifulSoup(text, "html.parser").select("article table"):
        if "Meaning" in table.thead.text:
            for row in table.select("tbody tr"):
                place = [cell.text for cell in table.select("thead th")].index("Meaning")
                assert row.select("td")[place].text.strip(), f"{row.td.text} means nothing"


def test_chapters_that_exist_are_linked_and_others_are_named_as_coming(html):
    text = (html / "index.html").read_text()
    listed = text[text.index('id="the-chapters"') :]
    course = yaml.safe_load((ROOT / "chapters" / "course.yml").read_text(encoding="utf-8"))
    assert listed.count('class="coming"') == len(course["chapters"]) - len(CHAPTERS)
    for slug in CHAPTERS:
        assert f'href="{slug}.html"' in text


# The build itself


def test_a_bad_formula_is_a_warning_and_so_fails_the_build(caplog):
    from docutils import nodes

    from theme.formulas import _render, formula

    assert _render(r"h_t", False)["html"].startswith('<span class="katex">')
    assert "error" in _render(r"\frac{1", True)
    with caplog.at_level("WARNING", logger="sphinx.theme.formulas"):
        shown = formula(nodes.math_block(r"\notacommand{x}", r"\notacommand{x}"), display=True)
    assert r"\notacommand" in shown and "katex" not in shown


def test_two_formulas_on_one_line_stand_below_each_other_where_it_is_short():
    from theme.formulas import _render, parts

    assert parts(r"u = {1 \qquad 2}, \qquad v") == [r"u = {1 \qquad 2},", "v"]
    inside = r"\begin{aligned} a \qquad b \end{aligned}"
    assert parts(inside) == [inside]
    shown = _render(r"u = 1, \qquad v = 2", True)["html"]
    assert shown.count('<span class="katex-display">') == 2
    assert "error" in _render(r"u = 1, \qquad \frac{1", True)


def test_no_formula_was_left_unrendered(html):
    for name in pages():
        text = (html / name).read_text()
        text = re.sub(r"<(annotation|pre|code|script)\b.*?</\1>", "", text, flags=re.S)
        text = re.sub(r"<[^>]+>", "", text)
        assert not re.search(r"\\(frac|tanh|mathcal|begin)\b|\$\$", text), name


def test_the_server_compresses_and_finds_directories(site):
    request = urllib.request.Request(f"{site}/", headers={"Accept-Encoding": "gzip"})
    with urllib.request.urlopen(request) as response:
        assert response.headers["Content-Encoding"] == "gzip"
        assert response.status == 200
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{site}/../../pyproject.toml")
    assert refused.value.code == 404
    refused.value.close()


def test_notebooks_on_the_site_are_valid_json(html):
    for path in html.rglob("*.ipynb"):
        assert json.loads(path.read_text())["nbformat"] == 4


# Names in texts


def test_a_chapter_or_file_that_a_text_names_is_a_link(html):
    from theme.addresses import file_of

    class config:
        html_theme_options: ClassVar = {"repository_url": REPOSITORY}

    found = 0
    for path in html.glob("*.html"):
        article = BeautifulSoup(path.read_text(), "html.parser").article
        for code in article.select("code.literal"):
            if address := file_of(config, code.text):
                assert code.find_parent("a")["href"] == address, f"{path.name}: {code.text}"
                found += 1
        for text in article.find_all(string=re.compile(r"[Cc]hapters? \d\d")):
            if text.find_parent(["a", "pre", "code", "summary"]):
                continue
            for number in re.findall(r"[Cc]hapters? (\d\d)(?! of)", text):
                assert not any(slug.startswith(number) for slug in CHAPTERS), f"{path.name}: {text}"
    assert found >= 4


def test_addresses_of_sources_are_those_of_the_bibliography(html):
    """Written as `url`: in `\\url{…}` a ~ would become a space."""
    source = (ROOT / "chapters" / "references.bib").read_text()
    assert "\\url" not in source
    links = pages()["bibliography.html"].links
    addresses = re.findall(r"^\s*url\s*=\s*\{(.+)\}", source, re.M)
    assert len(addresses) >= 3 and set(addresses) <= set(links)
