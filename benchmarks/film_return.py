"""A camera that is gone for a while: seconds from its return to the first frame that `track` would get.

A socket of this process plays the camera: it sends a film of ten frames, closes, is not there, and listens again.
"""

from __future__ import annotations

import socket
import sys
import tempfile
import threading
import time
from pathlib import Path

import common

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
import cameras

from facecli.film.address import address_of
from facecli.film.frame import Frame
from facecli.film.live import Live, open_film


class Camera:
    """A camera at an address of its own. returned: when it listened again, for each time; it ends with the last."""

    def __init__(self, data: bytes, pauses: list[float]) -> None:
        self._data, self._pauses = data, pauses
        self._place = socket.create_server(("127.0.0.1", 0))
        self._port = self._place.getsockname()[1]
        self.address = f"tcp://127.0.0.1:{self._port}"
        self.returned: list[float] = []
        threading.Thread(target=self._play, daemon=True).start()

    def _play(self) -> None:
        self._answer()
        for pause in self._pauses:
            time.sleep(pause)
            self._place = socket.create_server(("127.0.0.1", self._port))
            self.returned.append(time.monotonic())
            self._answer()

    def _answer(self) -> None:
        connection, _ = self._place.accept()
        self._place.close()
        with connection:
            connection.sendall(self._data)


def main() -> None:
    options = common.parser(__doc__)
    options.add_argument("--pauses", type=float, nargs="+", default=[0.5, 1.3, 2.9, 7.7, 20.1, 70.3], help="seconds")
    asked = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        camera = Camera(cameras.recording(Path(folder)), asked.pauses)
        live = open_film(address_of(camera.address))
        if not isinstance(live, Live):
            sys.exit("no live source")
        waited: list[float] = []
        for one in live.frames():
            if isinstance(one, Frame) and len(waited) < len(camera.returned):
                waited.append(time.monotonic() - camera.returned[-1])
                if len(waited) == len(asked.pauses):
                    break
        live.close()
    figures = [
        common.figure(f"gone for {pause:g} s: first frame after the return, s", seconds, "{:.2f}", most=2)
        for pause, seconds in zip(asked.pauses, waited, strict=True)
    ]
    common.tell(figures, as_json=asked.json)


if __name__ == "__main__":
    main()
