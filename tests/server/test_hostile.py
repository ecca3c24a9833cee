"""Requests that mean harm get one clear error each, and the server's memory does not grow by much."""

from __future__ import annotations

import io
import json
import re
import socket
import struct
import zipfile
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

MOST_GROWTH = 100 * 2**20  # bytes
JPEG, ZIP, JSON = ({"Content-Type": kind} for kind in ("image/jpeg", "application/zip", "application/json"))


@pytest.fixture(scope="module")
def server(start_server, collins):
    """A server that has seen photos as large as a phone's: what the models keep for themselves is there then."""
    client = start_server("--max-body", str(4 * 2**20), "--rate", "10000")
    while client.get("/v1/ready").status_code == 503:  # until the models are there
        pass
    photo = enlarged(collins, 4000, 3000)
    with ThreadPoolExecutor(4) as pool:  # for each thread of the queue
        answers = [pool.submit(requests.post, f"{client.address}/v1/detect", photo, headers=JPEG) for _ in range(8)]
    assert {one.result().status_code for one in answers} == {200}
    return client


@pytest.fixture(autouse=True)
def _memory(server):
    """Every request of this file, and what the server does about it, takes at most MOST_GROWTH at its peak."""
    folder = Path(f"/proc/{server.process.pid}")
    (folder / "clear_refs").write_text("5")  # the peak begins anew
    before = _status(folder, "VmRSS")
    yield
    assert _status(folder, "VmHWM") - before < MOST_GROWTH


@pytest.fixture(scope="module", autouse=True)
def idle(server):
    """A connection that was made before the first of these tests, and on which nothing is asked."""
    place = urlsplit(server.address)
    with socket.create_connection((place.hostname, place.port), timeout=60) as connection:
        yield connection


def _status(folder: Path, name: str) -> int:
    return int(re.search(rf"{name}:\s+(\d+)", (folder / "status").read_text())[1]) * 1024


def raw(server, head: str, *blocks: bytes) -> bytes:
    """Send bytes as they are, and return the answer."""
    place = urlsplit(server.address)
    with socket.create_connection((place.hostname, place.port), timeout=60) as connection:
        try:
            connection.sendall(head.replace("\n", "\r\n").encode())
            for block in blocks:
                connection.sendall(block)
        except (BrokenPipeError, ConnectionResetError):
            pass
        try:
            return connection.recv(65536)
        except ConnectionResetError:
            return b""


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and has almost nothing."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


def enlarged(picture: bytes, width: int, height: int, suffix: str = ".jpg") -> bytes:
    """A picture of another size; a PNG has an alpha channel."""
    import cv2
    import numpy as np

    kind = cv2.IMREAD_COLOR if suffix == ".jpg" else cv2.IMREAD_GRAYSCALE
    pixels = cv2.resize(cv2.imdecode(np.frombuffer(picture, np.uint8), kind), (width, height))
    if suffix == ".png":  # of few colours, so that it fits into a body
        pixels = cv2.cvtColor(pixels // 64 * 64, cv2.COLOR_GRAY2BGRA)
    return bytes(cv2.imencode(suffix, pixels)[1])


def form(*parts: tuple[str, bytes]) -> tuple[bytes, dict[str, str]]:
    body = b"".join(b"--x\r\n%s\r\n\r\n%s\r\n" % (head.encode(), data) for head, data in parts) + b"--x--\r\n"
    return body, {"Content-Type": "multipart/form-data; boundary=x"}


def link_zip() -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        entry = zipfile.ZipInfo("Ada/a.jpg")
        entry.external_attr = 0o120777 << 16
        archive.writestr(entry, "/etc/passwd")
    return data.getvalue()


def bomb_zip(files: int = 1, size: int = 200 * 2**20) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in "abcdefgh"[:files]:
            archive.writestr(f"Ada/{name}.jpg", bytes(size))
    return data.getvalue()


def many_zip() -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for number in range(2500):
            archive.writestr(f"Ada/{number}.jpg", b"")
    return data.getvalue()


def broken_zip(method: int) -> bytes:
    """A zip with a picture whose packed bytes begin otherwise than its method's do."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", method) as archive:
        archive.writestr("Ada/a.jpg", bytes(range(256)) * 9)
    start = 30 + len("Ada/a.jpg")
    return data.getvalue()[:start] + b"\xff" * 12 + data.getvalue()[start + 12 :]


HALF = 'Content-Disposition: form-data; name="{}"\r\nContent-Type: text/plain; charset=unicode_escape'
NAME = 'Content-Disposition: form-data; name="image"; filename="{}"\r\nContent-Type: image/jpeg'
HALF_FILE = 'Content-Disposition: form-data; name="image"; filename="\xed\xa0\x80.jpg"'
BODIES = {
    "a picture of 100 megapixels": ("/v1/detect", png_header(100_000, 1_001), {"Content-Type": "image/png"}, 422),
    "a picture of 26 megapixels": ("/v1/detect", png_header(5_000, 5_200), {"Content-Type": "image/png"}, 422),
    "a picture of many gigapixels": ("/v1/detect", png_header(2**31 - 1, 2**31 - 1), JPEG, 422),
    "a picture that ends early": ("/v1/detect", b"\xff\xd8\xff\xe0\x00\x10JFIF", JPEG, 422),
    "more than the limit": ("/v1/detect", bytes(5 * 2**20), JPEG, 413),
    "ten thousand parts": ("/v1/detect", *form(*[(NAME.format("a"), b"")] * 10_000), 400),
    "ten thousand texts": ("/v1/people", *form(*[('Content-Disposition: form-data; name="a"', b"1")] * 10_000), 400),
    "a text of a megabyte": ("/v1/people", *form(('Content-Disposition: form-data; name="name"', b"a" * 2**20)), 400),
    "a name with NUL": ("/v1/detect", *form((NAME.format("a\0b.jpg"), b"x")), (400, 422)),
    "a name that is a path": ("/v1/detect", *form((NAME.format("../../etc/passwd"), b"x")), 422),
    "a form without a boundary": ("/v1/detect", b"--", {"Content-Type": "multipart/form-data"}, 400),
    "a form that ends early": (
        "/v1/detect",
        b"--x\r\nContent-Dispo",
        {"Content-Type": "multipart/form-data; boundary=x"},
        400,
    ),
    "deep JSON": ("/v1/detect", b"[" * 500_000, JSON, 400),
    "JSON with a huge number": ("/v1/detect", b'{"image_url": ' + b"9" * 10_000 + b"}", JSON, 400),
    "JSON that is a list": ("/analyze/emotion", b"[]", JSON, 400),
    "a zip with a link": ("/v1/import", link_zip(), ZIP, 422),
    "a zip that unpacks to much": ("/v1/import", bomb_zip(), ZIP, 200),
    "a zip of large files together": ("/v1/import", bomb_zip(8, 2**27 + 1), ZIP, 413),
    "a zip of many files": ("/v1/import", many_zip(), ZIP, 413),
    "a zip with damaged LZMA": ("/v1/import", broken_zip(zipfile.ZIP_LZMA), ZIP, 200),
    "a zip with damaged deflation": ("/v1/import", broken_zip(zipfile.ZIP_DEFLATED), ZIP, 200),
    "half a character in a form": ("/v1/signup", *form((HALF.format("pin"), rb"\ud800abcd")), 400),
    "half a character in JSON": ("/v1/signup", rb'{"consent": "yes", "pin": "\ud800abcd"}', JSON, 400),
    "half a character in a file's name": ("/v1/detect", *form((HALF_FILE, b"x")), 422),
    "a number that is none": ("/v1/review/face-%C2%B2", b'{"answer": "no"}', JSON, 404),
    "a zip that is none": ("/v1/import", b"PK\x03\x04" + bytes(100), ZIP, 422),
    "a file of this machine": ("/v1/detect", b'{"image_url": "file:///etc/passwd"}', JSON, 422),
    "a path of this machine": ("/v1/detect", b'{"image_url": "/etc/passwd"}', JSON, 422),
    "its own metadata": ("/v1/detect", b'{"image_url": "http://169.254.169.254/"}', JSON, 422),
}


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_the_largest_picture_that_is_allowed_is_held_once(server, collins, suffix):
    answer = server.post("/v1/detect", data=enlarged(collins, 5000, 5000, suffix), headers=JPEG)
    assert answer.status_code == 200, answer.text
    assert answer.json()["images"][0]["width"] == 5000


@pytest.mark.parametrize("name", BODIES)
def test_a_hostile_body_is_one_error(server, name):
    path, body, headers, expected = BODIES[name]
    answer = server.post(path, data=body, headers=headers)
    assert answer.status_code in (expected if isinstance(expected, tuple) else (expected,)), answer.text[:300]
    assert len(answer.text) < 3000
    if "pixels" in name:
        assert "the limit is 25000000" in answer.json()["error"]["message"]
    if "unpacks to much" in name:
        (refused,) = answer.json()["rejected"]
        assert answer.json()["added"] == 0
        assert (refused["source"], refused["person"]) == ("Ada/a.jpg", "Ada")
        assert f"larger than {4 * 2**20} bytes" in refused["error"]["message"]
        assert server.get("/v1/people").json()["people"] == []
    if "files together" in name:
        assert "are larger than" in answer.json()["error"]["message"]
    if "damaged" in name:
        assert "is damaged in the zip" in answer.json()["rejected"][0]["error"]["message"]
    if expected != 200:
        error = json.loads(answer.text)["error"]
        assert "\n" not in (error if isinstance(error, str) else error["message"])  # earlier projects have a sentence
    assert "root:" not in answer.text


@pytest.mark.parametrize(
    "path",
    [
        *("/web/../app.py", "/web/%2e%2e%2fapp.py", "/web/..%5capp.py", "/../../etc/passwd", "/web/%00", "/people/%00"),
        *("/v1/people/%00", "/v1/people/..%2f..", "/v1/faces/99999999999999999999/crop", "/v1/faces/-1/crop"),
    ],
)
def test_a_path_leads_nowhere(server, path):
    answer = raw(server, f"GET {path} HTTP/1.1\nHost: 127.0.0.1\nConnection: close\n\n")
    assert answer.startswith((b"HTTP/1.1 200", b"HTTP/1.1 4")), answer[:200]
    assert b"root:" not in answer
    assert b"__future__" not in answer


def test_a_chunked_gigabyte_is_given_up_early(server):
    head = "POST /v1/detect HTTP/1.1\nHost: 127.0.0.1\nContent-Type: image/jpeg\nTransfer-Encoding: chunked\n\n"
    megabyte = b"100000\r\n" + bytes(2**20) + b"\r\n"
    answer = raw(server, head, *[megabyte] * 64)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize("length", ["-1", "1e9", "99999999999999999999", "0x10"])
def test_a_length_that_is_none_is_refused(server, length):
    head = f"POST /v1/detect HTTP/1.1\nHost: 127.0.0.1\nContent-Type: image/jpeg\nContent-Length: {length}\n\n"
    answer = raw(server, head)
    assert answer.startswith((b"HTTP/1.1 400", b"HTTP/1.1 413"))


def test_a_body_that_drips_in_is_given_up():
    import asyncio

    from facecli.server.bodies import Bodies
    from facecli.server.refusals import RefusalError

    async def drop():
        await asyncio.sleep(0.01)
        return {"type": "http.request", "body": b"x", "more_body": True}

    with pytest.raises(RefusalError) as caught:
        asyncio.run(Bodies(2**20, seconds=0.2).read({}, drop))
    assert (caught.value.status, caught.value.code) == (408, "slow")


def test_bodies_at_once_have_little_room():
    import asyncio

    from facecli.server.bodies import Bodies
    from facecli.server.refusals import RefusalError

    async def much():
        await asyncio.sleep(0)
        return {"type": "http.request", "body": bytes(1000), "more_body": True}

    async def two(bodies):
        return await asyncio.gather(*(bodies.read({}, much) for _ in range(2)), return_exceptions=True)

    failures = asyncio.run(two(Bodies(10_000, room=10_000)))
    assert sorted(one.status for one in failures if isinstance(one, RefusalError)) == [413, 429]


def test_the_server_is_as_well_as_before(server, collins):
    assert server.post("/v1/detect", data=collins, headers=JPEG).status_code == 200
    assert "Traceback" not in server.errors.read_text()


def test_a_connection_that_asks_nothing_is_closed(idle):
    assert idle.recv(1) == b""
