"""Short films to read, made by PyAV."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest


@pytest.fixture
def film(tmp_path: Path) -> Callable[..., Path]:
    """A function that writes a film: frame N is grey, 10 N up to 240, but its left third white.

    times: in ms. longer: seconds of sound after the last frame.
    """
    av: Any = pytest.importorskip("av", reason="PyAV, of the extra `video`, is not installed")

    def make(
        name: str = "film.mp4",
        *,
        times: tuple[int, ...] = tuple(range(0, 400, 40)),
        size: tuple[int, int] = (64, 48),
        rotation: int = 0,
        sound: bool = False,
        longer: float = 0.1,
        codec: str = "mpeg4",
        options: dict[str, str] | None = None,
    ) -> Path:
        path = tmp_path / name
        with av.open(str(path), "w", options=options or {}) as container:
            stream = container.add_stream(codec, rate=25)
            stream.width, stream.height = size
            stream.pix_fmt = "yuv420p"
            stream.time_base = stream.codec_context.time_base = Fraction(1, 1000)
            if rotation:
                stream.set_display_rotation(rotation)
            if sound:
                voice = container.add_stream("aac", rate=16000)
                voice.layout = "mono"
            for number, time in enumerate(times):
                pixels = np.full((size[1], size[0], 3), 10 * number % 250, np.uint8)
                pixels[:, : size[0] // 3] = 255
                frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
                frame.pts, frame.time_base = time, Fraction(1, 1000)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
            if sound:
                tone = np.sin(np.arange(16000 * times[-1] // 1000 + round(16000 * longer)) / 20)[None].astype(
                    np.float32
                )
                frame = av.AudioFrame.from_ndarray(tone, format="fltp", layout="mono")
                frame.sample_rate, frame.pts = 16000, 0
                container.mux(voice.encode(frame))
                container.mux(voice.encode(None))
        return path

    return make
