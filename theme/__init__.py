"""The Sphinx extension that makes the site's pages, one idea a module.

The theme itself is beside it: layout.html and its kin, static/, figures/.
"""

from __future__ import annotations

import shutil
import zlib
from pathlib import Path

from sphinx.application import Sphinx

THEME = Path(__file__).parent
ROOT = THEME.parent
SITE, BOOKS = "html", ("book", "epub")  # names of builders
TOKENS = ROOT / "rnnlib" / "tokens.css"
PARTS = "addresses course gallery markup reference code formulas pictures live".split()
PARTS += "cards search social pages downloads exercise book".split()


def configure(app: Sphinx, config) -> None:
    """What pages depend on besides their source: Sphinx writes all again when it changes."""
    from theme.downloads import book, exercises

    parts = [TOKENS, *THEME.iterdir(), *THEME.glob("static/*"), *THEME.glob("figures/*.js*")]
    parts += [Path(app.srcdir, name) for name in ("glossary.md", "references.bib")]  # for cards
    parts += [ROOT / "CITATION.cff", ROOT / "_build" / "pyodide" / "files.json"]
    parts += [*THEME.glob("lab/*"), *ROOT.glob("exercises/*/*.ipynb")]
    config.written_from = [
        zlib.crc32(path.read_bytes()) for path in sorted(parts) if path.is_file()
    ]
    config.written_from += exercises() + [zlib.crc32(path.read_bytes()) for path in book().values()]


def copy_static(app: Sphinx) -> None:
    """Before pages are written, since they stamp their addresses; Sphinx leaves what changed."""
    static = Path(app.outdir, "_static")
    if app.builder.name == "epub":
        static.mkdir(parents=True, exist_ok=True)
        shutil.copy2(THEME / "static" / "reader.css", static)
    elif app.builder.format == "html":
        shutil.copytree(THEME / "static", static, dirs_exist_ok=True)
        shutil.copy2(TOKENS, static)
        if app.builder.name == SITE:  # what pages play; Sphinx sees to pictures itself
            media, pictures = Path(app.srcdir, "media"), shutil.ignore_patterns("*.png")
            shutil.copytree(media, Path(app.outdir, "media"), ignore=pictures, dirs_exist_ok=True)


def stamped_folder(app: Sphinx, name: str, files: dict[str, bytes]) -> str:
    """Write files that name each other into a folder below _static whose name changes with them.

    So no browser uses an old one beside a new one.
    """
    stamp = zlib.crc32(
        b"".join(part for pair in sorted(files.items()) for part in (pair[0].encode(), pair[1]))
    )
    folder = Path(app.outdir, "_static", f"{name}.{stamp:08x}")
    for old in folder.parent.glob(f"{name}.*"):
        shutil.rmtree(old)
    folder.mkdir(parents=True)
    for file, data in files.items():
        (folder / file).write_bytes(data)
    return folder.name


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_html_theme("unrolled", str(THEME))
    # Jupyter Book always passes this option of an extension that the book does not load.
    app.add_config_value("comments_config", {}, "")
    app.add_config_value("written_from", [], "html")
    app.connect("config-inited", configure)
    app.connect("builder-inited", copy_static)
    for part in PARTS:
        app.setup_extension(f"{__name__}.{part}")
    return {"parallel_read_safe": True, "parallel_write_safe": False}
