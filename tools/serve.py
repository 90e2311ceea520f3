"""A loopback server for the built site: gzip and the 404 page, as GitHub Pages would.

``python tools/serve.py`` serves until Ctrl-C; tests import `serving`.
"""

from __future__ import annotations

import argparse
import gzip
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache, partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit

COMPRESSED = (".html", ".css", ".js", ".mjs", ".json", ".svg", ".ipynb", ".txt", ".xml", ".wasm")


@lru_cache(maxsize=256)
def _gzipped(path: str, mtime: float) -> bytes:
    return gzip.compress(Path(path).read_bytes(), mtime=0)


class Handler(SimpleHTTPRequestHandler):
    """Static files, compressed; an unknown address answers 404 with the site's own page."""

    protocol_version = "HTTP/1.1"
    extensions_map: ClassVar[dict[str, str]] = {
        **SimpleHTTPRequestHandler.extensions_map,
        ".js": "text/javascript",
        ".mjs": "text/javascript",
        ".woff2": "font/woff2",
        ".ipynb": "application/x-ipynb+json",
    }

    def __init__(self, *args, base: str = "/", **kwargs):
        self.base = base
        super().__init__(*args, **kwargs)

    def translate_path(self, path: str) -> str:
        # The 404 page links below the address where the site is published (/unrolled/).
        if path.startswith(self.base):
            path = "/" + path[len(self.base) :]
        return super().translate_path(path)

    def send_head(self):
        path = Path(self.translate_path(self.path))
        if path.is_dir():
            if not urlsplit(self.path).path.endswith("/"):
                return super().send_head()
            path /= "index.html"
        found = path.is_file()
        if not found:
            path = Path(self.directory, "404.html")
            if not path.is_file():
                return super().send_head()
        kind = self.guess_type(str(path))
        zipped = path.suffix in COMPRESSED and "gzip" in self.headers.get("Accept-Encoding", "")
        body = _gzipped(str(path), path.stat().st_mtime) if zipped else path.read_bytes()
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", f"{kind}; charset=utf-8" if zipped else kind)
        if zipped:
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        # GitHub Pages says ten minutes; here a rebuilt page must show at once.
        self.send_header("Cache-Control", "no-cache")
        self.end_headers()
        return BytesIO(body)

    def log_message(self, format: str, *args) -> None:
        pass


def make_server(folder: str | Path, port: int = 0) -> ThreadingHTTPServer:
    """A server of `folder` on the loopback interface; port 0 takes a free one."""
    not_found = Path(folder, "404.html")
    base = re.search(r'<base href="([^"]+)"', not_found.read_text()) if not_found.exists() else None
    handler = partial(Handler, directory=str(folder), base=base[1] if base else "/")
    return ThreadingHTTPServer(("127.0.0.1", port), handler)


@contextmanager
def serving(folder: str | Path) -> Iterator[str]:
    """Serve `folder` while the block runs; yields the address without a slash at its end."""
    server = make_server(folder)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def main() -> None:
    parser = argparse.ArgumentParser(description="Show the built website on this machine.")
    parser.add_argument("folder", nargs="?", default="_build/html")
    parser.add_argument("--port", type=int, default=8000)
    options = parser.parse_args()
    if not Path(options.folder, "index.html").is_file():
        sys.exit(f"There is no website in {options.folder} yet: `make site` builds it.")
    try:
        server = make_server(options.folder, options.port)
    except OSError as error:
        sys.exit(f"Port {options.port}: {error.strerror}. Another one: make serve PORT=8001")
    print(f"The course is at http://localhost:{server.server_port}/ (Ctrl-C ends it)", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        print()


if __name__ == "__main__":
    main()
