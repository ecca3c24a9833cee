"""Loads a server on this machine: start-up, many clients at once, and a long live view.

Start-up is from the start of the process to the answer of the first picture. The clients send one picture each, again
and again, in a closed loop, and what they reach is compared with the models alone: the same work from a pool of
threads, as many as the server has workers, in one process. Clients and server share the machine's cores. A second
server with a short queue shows what more clients than places get. The live view is one WebSocket, frame by frame.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

import numpy as np
import requests
from common import Figure, figure, parser, tell

import facecli
from facecli.system.cores import available_cores

PICTURE = Path(__file__).resolve().parents[1] / "examples" / "collins.jpg"
JPEG = {"Content-Type": "image/jpeg"}


class Server:
    """One server in a process of its own."""

    def __init__(self, folder: Path, *options: str) -> None:
        errors = folder / "errors.txt"
        command = [sys.executable, "-m", "facecli", "serve", "--port", "0", "--gallery", str(folder / "a.db"), *options]
        self.started = time.perf_counter()
        with errors.open("wb") as stream:
            self.process = subprocess.Popen(command, stderr=stream, stdout=subprocess.DEVNULL)
        while not (found := re.search(r"listening on (http://\S+)", errors.read_text())):
            if self.process.poll() is not None:
                sys.exit(errors.read_text())
            time.sleep(0.005)
        self.address = found[1]

    def memory(self) -> float:
        """Return the memory of the process, MB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024  # type: ignore[index]

    def seconds(self) -> float:
        """Return the processor's time that the process took."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / 100


@contextmanager
def server(*options: str) -> Iterator[Server]:
    """Run a server with an empty gallery for a while."""
    with tempfile.TemporaryDirectory() as folder:
        running = Server(Path(folder), *options)
        try:
            yield running
        finally:
            running.process.terminate()
            running.process.wait(30)


def session() -> requests.Session:
    """Return what asks without a proxy."""
    made = requests.Session()
    made.trust_env = False
    return made


def first_answer() -> tuple[float, float]:
    """Return seconds, by the clock and of the processor, from the start to the answer of the first picture."""
    with server() as running, session() as own:
        answer = own.post(f"{running.address}/v1/detect", data=PICTURE.read_bytes(), headers=JPEG, timeout=60)
        answer.raise_for_status()
        return time.perf_counter() - running.started, running.seconds()


@dataclass
class Load:
    """What clients got. taken: seconds of each answer of 200. seconds: of the whole. server, own: of the processor."""

    taken: list[float]
    statuses: Counter[int]
    seconds: float
    server: float
    own: float

    @property
    def rate(self) -> float:
        """Answers of 200 a second."""
        return len(self.taken) / self.seconds


def clients(running: Server, count: int, seconds: float) -> Load:
    """Return what clients in a closed loop get. They do as little as they can: the machine is the server's as well."""
    picture, end = PICTURE.read_bytes(), time.perf_counter() + seconds
    taken: list[float] = []
    statuses: Counter[int] = Counter()
    lock = threading.Lock()

    def one() -> None:
        own = HTTPConnection(running.address.rpartition("/")[2], timeout=120)
        while time.perf_counter() < end:
            begun = time.perf_counter()
            own.request("POST", "/v1/embed", picture, JPEG)
            answer = own.getresponse()
            answer.read()
            with lock:
                statuses[answer.status] += 1
                if answer.status == 200:
                    taken.append(time.perf_counter() - begun)
            if answer.status == 429:
                time.sleep(0.2)
        own.close()

    begun, server_begun, own_begun = time.perf_counter(), running.seconds(), time.process_time()
    threads = [threading.Thread(target=one) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    server, own = running.seconds() - server_begun, time.process_time() - own_begun
    return Load(taken, statuses, time.perf_counter() - begun, server, own)


def models_alone(workers: int, seconds: float) -> tuple[float, float]:
    """Return what the same models do in one process without a server.

    That is pictures a second, and seconds of the processor for one.
    """
    faces, data = facecli.Faces(jobs=workers), PICTURE.read_bytes()
    faces.embed(data)
    end, done = time.perf_counter() + seconds, 0
    lock = threading.Lock()

    def one() -> None:
        nonlocal done
        while time.perf_counter() < end:
            faces.embed(data)
            with lock:
                done += 1

    begun, own = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(workers) as pool:
        for future in [pool.submit(one) for _ in range(workers)]:
            future.result()
    return done / (time.perf_counter() - begun), (time.process_time() - own) / done


def live(running: Server, frames: int) -> tuple[list[float], Counter[tuple[int, str | None]], float]:
    """Return the memory after each twentieth of the frames, MB, faces by track and name, and frames a second."""
    from websockets.sync.client import connect

    picture = _small()
    memory: list[float] = []
    seen: Counter[tuple[int, str | None]] = Counter()
    begun = time.perf_counter()
    with connect(f"{running.address.replace('http', 'ws')}/v1/live", proxy=None, open_timeout=120) as socket:
        for number in range(frames):
            socket.send(picture[number % len(picture)])
            answer = json.loads(socket.recv())
            seen.update((face["track"], face["person"]) for face in answer["faces"])
            if (number + 1) % (frames // 20) == 0:
                memory.append(running.memory())
    return memory, seen, frames / (time.perf_counter() - begun)


def _small() -> list[bytes]:
    """Return frames of a camera: the portrait, 256 px, which moves a little."""
    import cv2

    portrait = cv2.resize(np.asarray(cv2.imread(str(PICTURE))), (256, 256), interpolation=cv2.INTER_AREA)
    return [cv2.imencode(".jpg", np.roll(portrait, shift, 1))[1].tobytes() for shift in (0, 2, 4, 2)]


def start_up() -> list[Figure]:
    """Return what a start takes."""
    starts = [first_answer() for _ in range(3)]
    return [
        figure("start-up to the first answer, s", min(wall for wall, _ in starts), most=2.5),
        figure("... of the processor, s", min(own for _, own in starts)),
    ]


def load(count: int, seconds: float) -> list[Figure]:
    """Return what many clients reach. count: of clients; seconds: of the longest part."""
    workers = available_cores()
    alone = [models_alone(workers, seconds / 3)]
    with server("--queue", str(count), "--rate", "1000000") as running:
        clients(running, 2, 2.0)  # warm
        got = clients(running, count, seconds)
    alone.append(models_alone(workers, seconds / 3))
    best, answers = max(rate for rate, _ in alone), len(got.taken)
    picture = min(own for _, own in alone)
    found = [
        figure("the models alone, pictures/s", best),
        figure("... ms of the processor a picture", 1e3 * picture, "{:.1f}"),
        figure(f"{count} clients, pictures/s", got.rate),
        figure("... part of the models alone", got.rate / best, "{:.2f}", least=0.9),
        figure("... ms of the processor an answer, server", 1e3 * got.server / answers, "{:.1f}"),
        figure("... ms of the processor an answer, clients", 1e3 * got.own / answers, "{:.1f}"),
        figure("... part of the processor's time that is the models'", picture * answers / got.server, "{:.2f}"),
        figure("... p50, s", float(np.percentile(got.taken, 50))),
        figure("... p99, s", float(np.percentile(got.taken, 99))),
        figure("... answers that are not 200", sum(got.statuses.values()) - answers, "{:.0f}", most=0),
    ]
    with server("--queue", "4", "--rate", "1000000") as running:
        statuses = clients(running, count, seconds / 3).statuses
    others = sum(statuses.values()) - statuses[200] - statuses[429]
    return [
        *found,
        figure("a queue of 4: answers of 429", statuses[429], "{:.0f}", least=1),
        figure("... of neither 200 nor 429", others, "{:.0f}", most=0),
    ]


def long_view(frames: int) -> list[Figure]:
    """Return what a long live view takes."""
    with server("--live-fps", "60") as running, session() as own:
        enrolled = own.post(
            f"{running.address}/v1/people",
            data={"name": "Eileen Collins"},
            files={"images": PICTURE.read_bytes()},
            timeout=120,
        )
        enrolled.raise_for_status()
        memory, seen, rate = live(running, frames)
    later = np.array(memory[4:])  # what is loaded and cached at first is no leak
    slope = float(np.polyfit(np.arange(len(later)), later, 1)[0]) * 20 / frames * 1024
    return [
        figure(f"{frames} live frames, frames/s", rate),
        figure("... memory after a fifth, MB", memory[4], "{:.1f}"),
        figure("... and at the end, MB", memory[-1], "{:.1f}"),
        figure("... slope, KB a frame", slope, "{:.3f}", most=0.5),
        figure("... tracks of one person", len({track for track, _ in seen}), "{:.0f}", most=1),
        figure(
            "... names other than hers", len({name for _, name in seen} - {None, "Eileen Collins"}), "{:.0f}", most=0
        ),
        figure("... frames with her name", sum(count for (_, name), count in seen.items() if name), "{:.0f}"),
    ]


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--only", choices=("start", "load", "live"), help="one part alone")
    options.add_argument("--clients", type=int, default=64)
    options.add_argument("--seconds", type=float, default=30.0, help="of the longest load")
    options.add_argument("--frames", type=int, default=10_000, help="of the live view")
    given = options.parse_args()
    parts = {
        "start": start_up,
        "load": lambda: load(given.clients, given.seconds),
        "live": lambda: long_view(given.frames),
    }
    found = [one for name, part in parts.items() if given.only in (None, name) for one in part()]
    tell(found, as_json=given.json)


if __name__ == "__main__":
    main()
