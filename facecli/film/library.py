"""PyAV, which reads and writes films; it comes with the extra `video`."""

from __future__ import annotations

from typing import Any

from facecli.errors import DeviceError


class FilmLibraryError(DeviceError):
    """PyAV, which films need, is not installed, or lacks an encoder."""


def require() -> Any:
    """Return the module `av`, silent but for its errors. Raises FilmLibraryError if it is not installed."""
    try:
        import av
        import av.logging
    except ImportError as error:
        raise FilmLibraryError("films need PyAV", hint='pip install "facecli[video]"') from error
    av.logging.set_level(None)  # FFmpeg's own lines would go to stderr, with the passwords of addresses
    return av


def sounds(container: Any) -> list[str]:
    """Return the codecs of the sound in an opened film, as FFmpeg names them."""
    return [stream.codec_context.codec.canonical_name for stream in container.streams.audio]


def versions() -> str:
    """Return the versions of PyAV and FFmpeg in words. Raises FilmLibraryError if PyAV is not installed."""
    av = require()
    return f"PyAV {av.__version__}, FFmpeg {av.ffmpeg_version_info}"
