"""A process that has imported the three large libraries, and forks for each command line that it is asked to run.

A command line starts in half the time so, and the suite starts thousands. All of facecli is imported in the fork, as
ever: only numpy, OpenCV and ONNX Runtime are there already. The only threads at that moment are those of OpenBLAS,
which ends them before a fork and starts them after it; numpy's users fork so every day.

Run as `python tests/warm.py FD` with one end of a socket pair of whole messages. A message to it is JSON (args, env,
cwd, path) with the descriptors of stdin, stdout and stderr; it answers with the process's id, then with its status.
"""

from __future__ import annotations

import json
import os
import runpy
import socket
import sys
from typing import Any, NoReturn

LARGEST = 2**20  # bytes of a message
BROKEN = 99  # status of a fork that did not end as facecli does


def serve(channel: socket.socket) -> None:
    """Fork for each message, one after the other, until the other end is closed."""
    import cv2  # noqa: F401
    import numpy as np  # noqa: F401
    import onnxruntime  # noqa: F401

    while True:
        body, descriptors, _, _ = socket.recv_fds(channel, LARGEST, 3)
        if not body:
            return
        process = os.fork()
        if not process:
            channel.close()
            run(json.loads(body), descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        channel.send(str(process).encode())
        _, status = os.waitpid(process, 0)
        channel.send(str(os.waitstatus_to_exitcode(status)).encode())


def run(request: dict[str, Any], descriptors: list[int]) -> NoReturn:
    """Become `facecli ARGS...`."""
    try:
        for number, descriptor in enumerate(descriptors):
            os.dup2(descriptor, number)
            os.close(descriptor)
        os.environ.clear()
        os.environ.update(request["env"])
        os.chdir(request["cwd"])
        sys.path[:0] = [place for place in request["path"].split(os.pathsep) if place]  # as PYTHONPATH is read
        sys.argv = ["facecli", *request["args"]]
        runpy.run_module("facecli", run_name="__main__", alter_sys=True)
    finally:
        os._exit(BROKEN)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
