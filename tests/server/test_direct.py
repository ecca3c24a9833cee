"""Questions about pictures are answered past the framework, and it describes what is answered."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

pytest.importorskip("fastapi", reason="a server needs facecli[serve]")

from starlette.responses import Response

from facecli.server.direct import Direct
from facecli.server.refusals import RefusalError
from facecli.server.routes.pictures import Analysing, Pictures

QUESTIONS = ("detect", "verify", "embed", "analyze", "identify")


async def others(_scope, _receive, send):
    await send("another app")


async def endpoint(_request, asked):
    return Response(f"{asked.attributes} {asked.min_score}")


def asked(method, path, query=b""):
    """Return what is sent when an app with one direct endpoint is asked."""
    sent = []

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": method, "path": path, "query_string": query, "headers": []}
    app = Direct(others, {("POST", "/v1/analyze"): (Analysing, endpoint)})
    asyncio.run(app(scope, None, send))
    return sent


def test_a_direct_endpoint_gets_its_query():
    start, body = asked("POST", "/v1/analyze", b"min_score=0.25&attributes=age%2Cpose&unknown=1")
    assert start["status"] == 200
    assert body["body"] == b"age,pose 0.25"


@pytest.mark.parametrize(("method", "path"), [("GET", "/v1/analyze"), ("POST", "/v1/analyze/")])
def test_everything_else_is_left_to_the_app(method, path):
    assert asked(method, path) == ["another app"]


def test_a_query_that_makes_no_sense_is_told_by_its_name():
    with pytest.raises(RefusalError, match=r"min_score: .*less than or equal to 1") as caught:
        asked("POST", "/v1/analyze", b"min_score=7")
    assert (caught.value.status, caught.value.code) == (400, "usage")


def test_the_description_has_what_is_answered_directly(server):
    paths = server.get("/openapi.json").json()["paths"]
    for (method, path), (query, _) in Pictures.direct(SimpleNamespace(**dict.fromkeys(QUESTIONS))).items():
        described = {one["name"] for one in paths[path][method.lower()]["parameters"]}
        assert described == set(query.model_fields), path
