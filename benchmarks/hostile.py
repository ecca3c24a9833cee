"""What hostile input costs: the peak of memory and the processor time of whole commands, one at a time; and damage.

Each case is a file that a few bytes make large, a device, or a server; the command runs in a process of its own. At
last pictures with random damage are decoded in this process: each must end in a picture or in a DecodeError with a
hint.
"""

from __future__ import annotations

import io
import json
import os
import random
import struct
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import common
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from facecli.errors import DecodeError
from facecli.pictures import codec
from facecli.types import Limits

MEGABYTES, SECONDS, ANSWER = 1024, 10, 1.5  # of a process, of a core for a picture, until Ctrl-C has ended a process
# Runs a command and prints what it took. A child of this process would be charged with the memory of this one.
LAUNCHER = """
import json, os, signal, sys, threading, time
child = os.posix_spawn(sys.executable, [sys.executable, "-m", "facecli", *sys.argv[2:]], os.environ)
after, told = float(sys.argv[1]), []
def interrupt():
    told.append(time.monotonic())
    os.kill(child, signal.SIGINT)
timer = threading.Timer(after, interrupt)
if after:
    timer.start()
_, status, usage = os.wait4(child, 0)
timer.cancel()
print(json.dumps([os.waitstatus_to_exitcode(status), usage.ru_maxrss / 1024, usage.ru_utime + usage.ru_stime,
                  time.monotonic() - told[0] if told else None]), file=sys.stderr)
"""


@dataclass(frozen=True)
class Case:
    """A command that meets hostile input.

    pictures: how many it looks at. interrupt: seconds until Ctrl-C, 0 for none.
    """

    name: str
    words: tuple[str, ...]
    pictures: int = 1
    interrupt: float = 0.0


def gif(side: int) -> bytes:
    """A GIF of one pixel on a large canvas."""
    screen = b"GIF89a" + struct.pack("<HH", side, side) + b"\x80\0\0" + b"\0\0\0\xff\xff\xff"
    return screen + b"," + struct.pack("<HHHH", 0, 0, 1, 1) + b"\0" + b"\x02\x02\x44\x01\0" + b";"


def texts(count: int) -> bytes:
    """A small PNG with texts that inflate to 7.9 MB each."""
    info = PngInfo()
    for number in range(count):
        info.add_text(f"x{number}", "\0" * 7_900_000, zip=True)
    return saved(Image.new("RGB", (64, 64)), "PNG", pnginfo=info)


def scans(count: int, side: int) -> bytes:
    """A progressive JPEG whose last scan comes again and again, so that it has `count` of them."""
    data = saved(Image.new("RGB", (side, side)), "JPEG", progressive=True)
    last = data[data.rindex(b"\xff\xda") : -2]
    return data[:-2] + last * (count - data.count(b"\xff\xda")) + b"\xff\xd9"


def empty_chunks(size: int) -> bytes:
    """A PNG that begins with so many bytes of empty chunks of pixels."""
    data = saved(Image.new("RGB", (64, 64)), "PNG")
    return data[:33] + (struct.pack(">I", 0) + b"IDAT" + struct.pack(">I", zlib.crc32(b"IDAT"))) * (size // 12)


def saved(picture: Image.Image, kind: str, **settings: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **settings)
    return buffer.getvalue()


class Server(BaseHTTPRequestHandler):
    """Redirects with an endless body, or sends a byte now and then."""

    def do_GET(self) -> None:
        redirect = self.path.startswith("/redirect")
        self.send_response(302 if redirect else 200)
        if redirect:
            self.send_header("Location", "/drip")
        self.end_headers()
        with suppress(OSError):
            while True:
                self.wfile.write(bytes(2**16 if redirect else 1))
                time.sleep(0 if redirect else 0.2)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@contextmanager
def served() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def cases(folder: Path, url: str) -> Iterator[Case]:
    """Yield the cases; their files are made in the folder as each one's turn comes."""

    def made(name: str, content: bytes) -> str:
        (folder / name).write_bytes(content)
        return name

    picture = made("x.webp", saved(Image.new("RGB", (10_000, 10_000)), "WEBP", lossless=True, method=0))
    for detector in ("yunet", "mtcnn", "haar"):
        yield Case(f"WebP of one colour, 100 MP, {detector}", ("detect", picture, "--detector", detector))
        words = ("detect", *[made(f"{n}.gif", gif(10_000)) for n in range(4)], "--jobs", "4", "--detector", detector)
        yield Case(f"four GIFs of 43 bytes, 100 MP each, {detector}, --jobs 4", words, 4)
    grey = Image.new("RGB", (10_000, 10_000), (128, 120, 110))
    yield Case("JPEG of 100 MP, in one scan", ("detect", made("one.jpg", saved(grey, "JPEG"))))
    yield Case("JPEG of 100 MP, progressive", ("detect", made("some.jpg", saved(grey, "JPEG", progressive=True))))
    yield Case("PNG of 100 MP", ("detect", made("x.png", saved(grey, "PNG", compress_level=1))))
    del grey
    yield Case("PNG of 64 px with 300 texts of 7.9 MB", ("detect", made("texts.png", texts(300))))
    yield Case("JPEG of 9 MP in 100 scans", ("detect", made("100.jpg", scans(100, 3000))))
    yield Case("the same, Ctrl-C", ("detect", *["100.jpg"] * 9), interrupt=4)
    yield Case("JPEG of 9 MP in 600 scans", ("detect", made("600.jpg", scans(600, 3000))))
    yield Case("20 MB of empty JPEG segments", ("detect", made("x.jpg", b"\xff\xd8" + b"\xff\xfe\0\2" * 5_000_000)))
    yield Case("200 MB of FF in a JPEG", ("detect", made("ff.jpg", b"\xff\xd8\xff\xfe\0\2" + b"\xff" * 200_000_000)))
    yield Case("24 MB of empty PNG chunks", ("detect", made("idat.png", empty_chunks(24_000_000))))
    line = made("line.png", saved(Image.new("RGB", (10**6, 1)), "PNG"))
    yield Case(
        "a line of 1,000,000 px as a crop",
        ("embed", line, "--no-detect"),
    )
    for words in (
        ("detect", "/dev/zero"),
        ("detect", "--files-from0", "/dev/zero"),
        ("evaluate-detection", "--root", ".", "--ground-truth", "/dev/zero"),
        ("evaluate", "/dev/zero"),
        ("models", "import-bundle", "/dev/zero"),
        ("models", "add", "/dev/zero", "--name", "x", "--kind", "recognizer"),
    ):
        yield Case(" ".join(words[:3]), words)
    yield Case("endless body of a redirect, --timeout 4", ("detect", f"{url}/redirect", "--timeout", "4"))
    yield Case("a byte every 0.2 s, --timeout 4", ("detect", f"{url}/drip", "--timeout", "4"))
    yield Case("a byte every 0.2 s, Ctrl-C", ("detect", f"{url}/drip"), interrupt=5)


def measure(case: Case, folder: Path) -> Iterator[common.Figure]:
    """Run a case; yield its figures."""
    command = [sys.executable, "-c", LAUNCHER, str(case.interrupt), *case.words]
    environment = os.environ | {"FACECLI_HOME": str(folder / "home"), "FACECLI_OFFLINE": "1"}
    run = subprocess.run(
        command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=True
    )
    lines = run.stderr.decode().splitlines()
    code, peak, seconds, answered = json.loads(lines[-1])
    said = lines[0] if len(lines) > 1 else ""
    print(f"{case.name}: exit code {code}: {said}", file=sys.stderr)
    yield common.figure(f"{case.name}, MiB", peak, "{:.0f}", most=MEGABYTES)
    if answered is None:
        yield common.figure(f"{case.name}, s", seconds, "{:.1f}", most=SECONDS * case.pictures)
    else:
        yield common.figure(f"{case.name}, s until the end", answered, "{:.2f}", most=ANSWER)


def damaged(count: int, seed: int) -> Iterator[common.Figure]:
    """Decode pictures with random damage; yield what became of them."""
    chance = random.Random(seed)
    portrait = Image.open(Path(__file__).parents[1] / "examples" / "collins.jpg").convert("RGB").resize((200, 150))
    seeds = [saved(portrait, kind) for kind in ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "PPM")]
    seeds += [saved(portrait, "JPEG", progressive=True), saved(portrait, "WEBP", lossless=True)]
    outcomes: Counter[str] = Counter()
    longest = 0.0
    for _ in range(count):
        data = mutated(chance.choice(seeds), chance)
        begun = time.process_time()
        try:
            codec.decode(data, "x", Limits())
            outcomes["decoded"] += 1
        except DecodeError as error:
            outcomes["refused" if error.hint else "refused without a hint"] += 1
        except Exception as error:  # noqa: BLE001 # this is what is counted
            outcomes["other"] += 1
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
        longest = max(longest, time.process_time() - begun)
    for what in ("decoded", "refused"):
        yield common.figure(f"of {count} damaged pictures, {what}", outcomes[what], "{:.0f}")
    for what in ("refused without a hint", "other"):
        yield common.figure(f"of {count} damaged pictures, {what}", outcomes[what], "{:.0f}", most=0)
    yield common.figure("damaged pictures, the longest, s", longest, "{:.2f}", most=SECONDS)


def mutated(data: bytes, chance: random.Random) -> bytes:
    """The file with some bytes changed, cut out, doubled or put in; half of the time in its first 64 bytes."""
    content = bytearray(data)
    changes: list[Callable[[int], None]] = [
        lambda at: content.__setitem__(at, chance.randrange(256)),
        lambda at: content.__delitem__(slice(at, at + chance.randrange(1, 200))),
        lambda at: content.__setitem__(slice(at, at), content[at : at + chance.randrange(1, 2000)]),
        lambda at: content.__setitem__(slice(at, at + 4), chance.choice([b"\xff" * 4, bytes(4), b"\x7f\xff\xff\xff"])),
    ]
    for _ in range(chance.randrange(1, 9)):
        end = min(len(content), 64) if chance.random() < 0.5 else len(content)
        chance.choice(changes)(chance.randrange(max(end, 1)))
    return bytes(content)


def main() -> None:
    options = common.parser(__doc__)
    options.add_argument("--only", default="", help="a part of a case's name")
    options.add_argument("--damaged", type=int, default=2000, help="how many pictures with random damage")
    options.add_argument("--seed", type=int, default=0)
    given = options.parse_args()
    figures: list[common.Figure] = []
    with tempfile.TemporaryDirectory() as folder, served() as url:
        for case in cases(Path(folder), url):
            if given.only in case.name:
                figures += measure(case, Path(folder))
    figures += damaged(given.damaged, given.seed)
    common.tell(figures, as_json=given.json)


if __name__ == "__main__":
    main()
