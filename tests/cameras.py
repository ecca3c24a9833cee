"""Cameras of this process, which speak what real ones speak: RTSP with a password, and HTTP with JPEGs in parts."""

from __future__ import annotations

import base64
import socketserver
import struct
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

USER, PASSWORD = "door", "opensesame"
AUTHORIZATION = f"Basic {base64.b64encode(f'{USER}:{PASSWORD}'.encode()).decode()}"
CHALLENGE = {"WWW-Authenticate": 'Basic realm="door"'}
BOUNDARY = "part"
TS_PACKET, PACKETS, MPEG_TS = 188, 7, 33  # bytes; of them in an RTP packet; payload type of RFC 3551


def recording(folder: Path) -> bytes:
    """Ten grey frames as an MPEG transport stream, which is written to a folder on the way."""
    import av
    import numpy as np

    path = folder / "grey.ts"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(10):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.full((48, 64, 3), 90, np.uint8), format="rgb24")))
        container.mux(stream.encode(None))
    return path.read_bytes()


class RtspCamera(socketserver.StreamRequestHandler):
    """One client of an RTSP camera, whose server has the `stream` to play."""

    def handle(self) -> None:
        while line := self.rfile.readline().decode():
            method, address, _ = line.split()
            fields = dict(iter(lambda: tuple(self.rfile.readline().decode().strip().partition(": ")[::2]), ("", "")))
            allowed = method == "OPTIONS" or fields.get("Authorization") == AUTHORIZATION
            status = "200 OK" if allowed else "401 Unauthorized"
            more, body = (
                self.answer_to(method, address) if allowed else ({"WWW-Authenticate": 'Basic realm="door"'}, "")
            )
            head = {"CSeq": fields["CSeq"], "Session": "1", "Content-Length": str(len(body)), **more}
            lines = [f"RTSP/1.0 {status}", *(f"{key}: {value}" for key, value in head.items()), "", body]
            self.wfile.write("\r\n".join(lines).encode())
            if allowed and method == "PLAY":
                self.play(self.server.stream)
                return

    def answer_to(self, method: str, address: str) -> tuple[dict[str, str], str]:
        """The fields and the text that answer a request."""
        match method:
            case "OPTIONS":
                return {"Public": "DESCRIBE, SETUP, PLAY, TEARDOWN"}, ""
            case "DESCRIBE":
                session = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=door\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\n"
                media = f"m=video 0 RTP/AVP {MPEG_TS}\r\na=control:track\r\n"
                return {"Content-Base": f"{address}/", "Content-Type": "application/sdp"}, session + media
            case "SETUP":
                return {"Transport": "RTP/AVP/TCP;unicast;interleaved=0-1"}, ""
        return {}, ""

    def play(self, stream: bytes) -> None:
        """Send the stream, interleaved with the answers."""
        size = TS_PACKET * PACKETS
        for number, start in enumerate(range(0, len(stream), size)):
            packet = struct.pack(">BBHII", 0x80, MPEG_TS, number, 3600 * number, 1) + stream[start : start + size]
            self.wfile.write(struct.pack(">cBH", b"$", 0, len(packet)) + packet)


class RtspServer(socketserver.ThreadingTCPServer):
    """The cameras of one stream."""

    daemon_threads = True

    def __init__(self, stream: bytes) -> None:
        super().__init__(("127.0.0.1", 0), RtspCamera)
        self.stream = stream

    def handle_error(self, *_: object) -> None:
        """Say nothing of a client that has left."""


@contextmanager
def rtsp(stream: bytes) -> Iterator[int]:
    """Give the port of an RTSP server (RFC 2326) that plays an MPEG transport stream to whoever knows the password.

    It goes in RTP packets (RFC 3550, RFC 2250). When all was played, the connection is closed.
    """
    with RtspServer(stream) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@contextmanager
def jpegs(pictures: Sequence[bytes], pause: float = 0.0) -> Iterator[int]:
    """Give the port of a web server that sends JPEG after JPEG, as most cameras do (multipart/x-mixed-replace).

    pause: seconds after each.
    """

    class Camera(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", f"multipart/x-mixed-replace;boundary={BOUNDARY}")
            self.end_headers()
            for picture in pictures:
                head = f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture)}\r\n\r\n"
                self.wfile.write(head.encode() + picture + b"\r\n")
                time.sleep(pause)

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Camera) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()
