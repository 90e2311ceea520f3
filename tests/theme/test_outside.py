"""A notebook that left the site can be read and run anywhere, and says what the page says."""

from __future__ import annotations

import re
import zipfile
from urllib.parse import urlsplit

import nbformat
import pytest
import yaml
from browsing import HTML, ROOT
from bs4 import BeautifulSoup
from IPython.core.interactiveshell import InteractiveShell

from theme.addresses import published_at
from theme.outside import NEEDS, OPTIONAL, Converter, needing

SOURCES = sorted((ROOT / "chapters").glob("*.ipynb"))
NAMES = [path.stem for path in SOURCES]
REPOSITORY = yaml.safe_load((ROOT / "_config.yml").read_text())["repository"]["url"]
SITE = published_at(REPOSITORY)


def read(path) -> nbformat.NotebookNode:
    return nbformat.read(path, as_version=4)


def outside(name: str) -> nbformat.NotebookNode:
    return read(HTML / "downloads" / f"{name}.ipynb")


def texts(notebook) -> str:
    """The Markdown of a notebook, without what is code."""
    whole = "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    # a backtick behind a brace would belong to a role, which is looked for
    return re.sub(r"```.*?```|(?<!\})`[^`\n]+`", "", whole, flags=re.S)


@pytest.mark.parametrize("name", NAMES)
def test_no_markup_of_the_site_alone_is_left(html, name):
    text = texts(outside(name))
    assert not re.findall(
        r"\{[a-z][\w:-]*\}`|^(?:```|:::)\{?|\]\([\w/]+\.md|<unrolled-", text, re.M
    )
    assert not re.findall(r"\$\$ \([\w-]+\)", text)
    nbformat.validate(outside(name))


@pytest.mark.parametrize("name", NAMES)
def test_every_link_leads_to_a_place_of_the_site(html, name):
    links = re.findall(rf"\]\(({re.escape(SITE)}[^)\s]*)\)", texts(outside(name)))
    assert links
    for link in links:
        address = urlsplit(link.removeprefix(SITE))
        page = (html / (address.path or "index.html")).read_text()
        assert not address.fragment or f'id="{address.fragment}"' in page, link


@pytest.mark.parametrize("name", NAMES)
def test_numbers_and_answers_are_those_of_the_page(html, name):
    page = BeautifulSoup((html / f"{name}.html").read_text(), "html.parser")
    text = texts(outside(name))
    figures = [number.text.strip() for number in page.select("figure .caption-number")]
    assert re.findall(r"^>? ?\*\*(Figure [\d.]+)\.\*\*", text, re.M) == figures
    equations = [f"({number})" for number in re.findall(r"\\tag\{([\d.]+)\}", text)]
    assert equations == [number.text.removesuffix("#") for number in page.select(".eqno")]
    answers = page.select("article .sd-summary-title .sd-summary-text")
    assert text.count("<details><summary>") == text.count("</details>") == len(answers)
    for answer in answers:
        assert f"<details><summary>{answer.text.strip()}" in text.replace("*", "")


@pytest.mark.parametrize("name", NAMES)
def test_code_is_the_chapter_s_own(html, name):
    """But for the bar of a training and the guard of a cell that needs an optional package."""
    own = {cell.id: cell.source for cell in read(SOURCES[NAMES.index(name)]).cells}
    for cell in outside(name).cells:
        if cell.cell_type == "code" and cell.id != "needs":
            assert "progress=False" not in cell.source and '"progress": False' not in cell.source
            source = re.sub(r"\A%%needs [\w ]+\n", "", cell.source)
            without = re.sub(r',\s*(progress=|"progress": )False', "", own[cell.id])
            assert source == without


def test_a_cell_that_needs_torch_and_what_builds_on_it_are_guarded():
    sources = {
        "numpy": "import numpy as np\nx = np.ones(3)",
        "torch": "import torch\nx_t = torch.ones(3)\ny = 1",
        "uses": "z = x_t + 1",
        "free": "y = x.sum()\nprint(y)",
        "free-again": "print(y)",
        "deeper": "def f():\n    return z\n\nprint(f())",
        "from": "from torch import nn",
        "argument": "def g(z, x_t=1):\n    for nn in [x_t]:\n        return z + nn\n\nx_t = g(1)",
        "data": "ink, _ = digits.pictures()",
        "calls": "tune = midi.read(path)",
        "reads-data": "x_t + ink",
        "both": "both = torch.tensor(ink)",
        "reads-both": "print(both)",
    }
    cells = [nbformat.v4.new_code_cell(source, id=name) for name, source in sources.items()]
    data = {"data": "sklearn", "calls": "music21", "reads-data": "sklearn"}
    data |= dict.fromkeys(["both", "reads-both"], "torch sklearn")
    assert needing(cells) == dict.fromkeys(["torch", "uses", "deeper", "from"], "torch") | data


def test_the_start_page_says_how_to_install_each_optional_package():
    start = (ROOT / "chapters" / "start.md").read_text()
    assert [name for name in OPTIONAL if name.replace("_", "-") not in start] == []


@pytest.mark.parametrize("name", NAMES)
def test_a_cell_that_needs_an_optional_package_imports_nothing_that_all_need(name):
    for cell in read(SOURCES[NAMES.index(name)]).cells:
        found = re.findall(r"^(?:import|from) (\w+)", cell.source, re.M)
        if cell.cell_type == "code" and {*found} & {*OPTIONAL}:
            assert not {*found} & {"numpy", "matplotlib", "rnnlib", "json"}, cell.id


@pytest.mark.parametrize("name", NAMES)
def test_without_an_optional_package_the_cells_that_need_it_say_so(html, name, capsys):
    cells = {cell.id: cell for cell in outside(name).cells if cell.cell_type == "code"}
    guard = re.compile(r"%%needs ([\w ]+)\n")
    guarded = [cell for cell in cells.values() if guard.match(cell.source)]
    needed = {cell.id: guard.match(cell.source)[1] for cell in guarded}
    assert needed == needing(read(SOURCES[NAMES.index(name)]).cells)
    assert ("needs" in cells) == bool(guarded)
    for cell in cells.values():
        imports = re.search(rf"\b(import|from) ({'|'.join(OPTIONAL)})\b", cell.source)
        assert not imports or cell in guarded
    if not guarded:
        return
    shell = InteractiveShell.instance()
    try:
        shell.run_cell(NEEDS).raise_error()
        missing = guard.sub("%%needs math no_such_package\n", guarded[0].source)
        shell.run_cell(missing).raise_error()
        assert "needs no_such_package, which is not installed" in capsys.readouterr().out
        shell.run_cell("%%needs math\nimport math\nprint(math.factorial(5))").raise_error()
        assert "120" in capsys.readouterr().out
        assert not shell.run_cell("%%needs math\n1 / 0").success
    finally:
        InteractiveShell.clear_instance()


@pytest.mark.parametrize(
    "markup",
    ["{strange}`x`", "```{strange}\nx\n```", "[a](nowhere.md)", "```{dropdown} never closed\nx"],
)
def test_what_the_converter_does_not_know_is_a_warning_and_so_fails_the_build(markup, caplog):
    class App:
        class env:
            found_docs = ("index",)

        class config:
            html_baseurl = SITE

        class builder:
            get_target_uri = staticmethod(lambda name: f"{name}.html")

    with caplog.at_level("WARNING", logger="sphinx.theme.outside"):
        Converter(App, "index").text(f"Text before, `{{kept}}` and\n\n{markup}\n")
    assert len(caplog.records) == 1 and "does not know" in caplog.text


@pytest.mark.parametrize("name", NAMES)
def test_the_page_links_to_it_for_colab_and_as_a_download(html, name, tmp_path):
    page = BeautifulSoup((html / f"{name}.html").read_text(), "html.parser")
    links = {link.text: link for link in page.select(".launch a")}
    colab = "https://colab.research.google.com/github" + urlsplit(REPOSITORY).path
    # `make release` puts the notebooks of downloads/ on this branch
    assert links["Open in Colab"]["href"] == f"{colab}/blob/exercises/{name}.ipynb"
    download = links["Download the notebook"]
    assert download.has_attr("download")
    cells = read(SOURCES[NAMES.index(name)]).cells
    code = "".join(cell.source for cell in cells if cell.cell_type == "code")
    named = re.findall(r'"((?:experiments|media|\.\.)/[\w./-]+)"', code)
    reads = [file for file in named if (ROOT / "chapters" / file).is_file()]
    if not reads:
        assert download["href"] == f"downloads/{name}.ipynb"
        return
    # it opens files beside it: they come along, at the places where it looks for them
    assert download["href"] == f"downloads/{name}.zip"
    with zipfile.ZipFile(html / "downloads" / f"{name}.zip") as archive:
        archive.extractall(tmp_path)
    alone = tmp_path / f"{name}_chapter" / "chapters" / f"{name}.ipynb"
    assert alone.read_bytes() == (html / "downloads" / f"{name}.ipynb").read_bytes()
    for file in reads:
        original = (ROOT / "chapters" / file).read_bytes()
        assert (alone.parent / file).resolve().read_bytes() == original
