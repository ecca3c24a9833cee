"""The web page: files of the wheel, each by its name."""

from __future__ import annotations

import html
import re
from functools import cache
from importlib import resources

from fastapi import APIRouter
from starlette.responses import Response

from facecli.server import refusals

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}
PAGES = ("signup", "login", "live", "people", "person", "review", "settings")


class PageRoutes:
    """Gives the files of the page; every page of it is the same document, which reads its own address."""

    def router(self) -> APIRouter:
        """Return the endpoints."""
        router = APIRouter(include_in_schema=False)
        for path in ("/", *(f"/{name}" for name in PAGES)):
            router.add_api_route(path, self.page, methods=["GET"], response_class=Response)
        router.add_api_route("/people/{uid}", self.page, methods=["GET"], response_class=Response)
        router.add_api_route("/web/{name}", self.file, methods=["GET"], response_class=Response)
        router.add_api_route("/favicon.ico", self.icon, methods=["GET"], response_class=Response)
        return router

    async def page(self) -> Response:
        """Return the document of all pages."""
        return _file("index.html")

    async def file(self, name: str) -> Response:
        """Return a file of the page."""
        return _file(name)

    async def icon(self) -> Response:
        """Return the icon."""
        return _file("icon.svg")


def _file(name: str) -> Response:
    if name not in _names():
        raise refusals.missing("file")
    suffix = name[name.rindex(".") :]
    return Response(_content(name), media_type=TYPES[suffix], headers={"Cache-Control": "no-cache"})


@cache
def _names() -> frozenset[str]:
    folder = resources.files("facecli.server").joinpath("web")
    return frozenset(one.name for one in folder.iterdir() if one.name.endswith(tuple(TYPES)))


@cache
def _content(name: str) -> bytes:
    found = resources.files("facecli.server").joinpath("web", name).read_bytes()
    return _worded(found.decode()).encode() if name == "index.html" else found


def _worded(page: str) -> str:
    """Return the document with texts of the page in the places of their names, for browsers without scripts, too."""
    texts = _content("texts.js").decode()
    for name in ("language", "noScript"):
        found = re.search(rf'^  {name}: "(.*)",$', texts, re.MULTILINE)
        assert found, name
        page = page.replace(f"{{{name}}}", html.escape(found[1]))
    return page
