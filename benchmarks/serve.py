"""Loads a server on this machine: start-up, many clients at once, and a long live view.

Start-up is from the start of the process to the answer of the first picture, in the median. The clients send one
picture each, again and again, in a closed loop, and what they reach is compared with the models alone: the same work
from a pool of threads, as many as the server has workers, in one process, round by round in turn. Clients and server
share the machine's cores. A second server with a short queue shows what more clients than places get. The live view is
one WebSocket, frame by frame.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import numpy as np
import requests
from common import Figure, figure, parser, tell
from serve_clients import Load, ask_on

import facecli
from facecli.system.cores import available_cores

PICTURE = Path(__file__).resolve().parents[1] / "examples" / "collins.jpg"
JPEG = {"Content-Type": "image/jpeg"}
STARTS = 5
ROUNDS = 5  # of the models alone and clients, in turn: the speed of a machine changes from minute to minute


class Server:
    """One server in a process of its own."""

    def __init__(self, folder: Path, *options: str, environment: Mapping[str, str] | None = None) -> None:
        errors = folder / "errors.txt"
        command = [sys.executable, "-m", "facecli", "serve", "--port", "0", "--gallery", str(folder / "a.db"), *options]
        self.started = time.perf_counter()
        with errors.open("wb") as stream:
            self.process = subprocess.Popen(
                command, stderr=stream, stdout=subprocess.DEVNULL, env={**os.environ, **(environment or {})}
            )
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
def server(*options: str, environment: Mapping[str, str] | None = None) -> Iterator[Server]:
    """Run a server with an empty gallery for a while."""
    with tempfile.TemporaryDirectory() as folder:
        running = Server(Path(folder), *options, environment=environment)
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


def first_answer(environment: Mapping[str, str]) -> tuple[float, float]:
    """Return seconds, by the clock and of the processor, from the start to the answer of the first picture."""
    with server(environment=environment) as running, session() as own:
        answer = own.post(f"{running.address}/v1/detect", data=PICTURE.read_bytes(), headers=JPEG, timeout=60)
        answer.raise_for_status()
        return time.perf_counter() - running.started, running.seconds()


def clients(running: Server, count: int, seconds: float) -> Load:
    """Return what clients in a closed loop get."""
    address = running.address.rpartition("/")[2]
    return ask_on(address, "/v1/embed", PICTURE.read_bytes(), count, seconds, running.seconds)


class Alone:
    """The same models in this process without a server. workers: threads, as many as the server has."""

    def __init__(self, workers: int) -> None:
        self._faces, self._workers, self._data = facecli.Faces(jobs=workers), workers, PICTURE.read_bytes()
        self._faces.embed(self._data)

    def work(self, seconds: float) -> tuple[float, float]:
        """Return pictures a second, and seconds of the processor for one."""
        begun, own = time.perf_counter(), time.process_time()

        def one() -> int:
            done = 0
            while time.perf_counter() < begun + seconds:
                self._faces.embed(self._data)
                done += 1
            return done

        with ThreadPoolExecutor(self._workers) as pool:
            done = sum(future.result() for future in [pool.submit(one) for _ in range(self._workers)])
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
    """Return what a start takes where the modules are compiled, as pip does when it installs them."""
    with tempfile.TemporaryDirectory() as compiled:
        environment = {"PYTHONPYCACHEPREFIX": compiled, "PYTHONDONTWRITEBYTECODE": ""}
        first_answer(environment)
        starts = [first_answer(environment) for _ in range(STARTS)]
    return [
        figure("start-up to the first answer, s", median(wall for wall, _ in starts), most=2.5),
        figure("... the quickest, s", min(wall for wall, _ in starts)),
        figure("... of the processor, s", median(own for _, own in starts)),
    ]


def load(count: int, seconds: float) -> list[Figure]:
    """Return what many clients reach. count: of clients; seconds: of all rounds together."""
    workers, each = available_cores(), seconds / ROUNDS
    alone = Alone(workers)
    with server("--queue", str(count), "--rate", "1000000") as running:
        clients(running, 2, 2.0)  # warm
        rounds = [
            (alone.work(each), clients(running, count, each)) for _ in range(ROUNDS)
        ]  # the server rests meanwhile
    taken = [second for _, got in rounds for second in got.taken]
    refused = sum(sum(got.statuses.values()) - len(got.taken) for _, got in rounds)
    found = [
        figure("the models alone, pictures/s", median(rate for (rate, _), _ in rounds)),
        figure("... ms of the processor a picture", 1e3 * median(own for (_, own), _ in rounds), "{:.1f}"),
        figure(f"{count} clients, pictures/s", median(got.rate for _, got in rounds)),
        figure(
            "... part of the models alone", median(got.rate / rate for (rate, _), got in rounds), "{:.2f}", least=0.9
        ),
        figure(
            "... ms of the processor an answer, server",
            1e3 * median(got.server / len(got.taken) for _, got in rounds),
            "{:.1f}",
        ),
        figure(
            "... ms of the processor an answer, clients",
            1e3 * median(got.own / len(got.taken) for _, got in rounds),
            "{:.1f}",
        ),
        figure(
            "... part of the processor's time that is the models'",
            median(own * len(got.taken) / (got.server + got.own) for (_, own), got in rounds),
            "{:.2f}",
        ),
        figure("... p50, s", float(np.percentile(taken, 50))),
        figure("... p99, s", float(np.percentile(taken, 99))),
        figure("... answers that are not 200", refused, "{:.0f}", most=0),
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
