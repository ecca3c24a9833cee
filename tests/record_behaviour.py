"""Record what facecli's command line answers, so that two versions of the code can be compared.

Whoever moves code about runs this before and after, each time with that version's own command:

    python tests/record_behaviour.py record before.json --facecli OLD/bin/facecli
    python tests/record_behaviour.py record after.json --facecli NEW/bin/facecli
    python tests/record_behaviour.py compare before.json after.json

The tests say what the command line has to answer; they move and change together with the code, and so can not show
that an answer stayed as it was. This script only needs `examples/` and the command: it imports nothing of facecli, runs
the command as a user would, and writes down its exit code, stdout, stderr, and every file that it wrote or removed.
Commands are found by their help, so that a new one shows as a difference, too.

Each case runs in folders of its own with an empty model store, without a network and without this user's settings. What
differs from run to run by nature is replaced: folders of this run, the port of the server, random names, times, today's
date, the number of cores, the frames of tracebacks, which tell where code lies, and the hashes of .ort files, in which
ONNX Runtime orders its words anew each time. Nothing else is. Caches of libraries and stamps of the store, which hold
the times of files, are not looked into.
"""

from __future__ import annotations

import argparse
import difflib
import functools
import hashlib
import io
import json
import os
import pty
import re
import shlex
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import time
import tomllib
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
PORTRAITS = ("collins.jpg", "collins_variant.jpg", "hopper.jpg")
LIMIT = 600  # seconds that one command may take
LARGE = 40_000  # bytes of a text from which on its hash is recorded instead

# The cases. Each is a line or several that share their folders, as a user would type them after `facecli`:
# variables before the words, `< FILE` for stdin, `> FILE` for stdout, and `tty` before all for a terminal.
# `!damage GLOB` and `!copy FROM TO` are this script's own. {embedded} is where the models lie that come with
# facecli, {server} an HTTP server with the portraits, {site} and {broken} are folders with plugins for PYTHONPATH.

GENERAL = """
--version
-h
no-such-command
--no-such-option
--debug
--debug detect --no-such-option examples/hopper.jpg
--debug detect in/missing.jpg --json
--debug detect examples/hopper.jpg --annotate nowhere/x.jpg
--debug verify examples/hopper.jpg in/blank.png
FACECLI_DEBUG=1 detect examples/hopper.jpg --detector nobody
--offline --no-plugins detect examples/hopper.jpg -f csv
models
models no-such-command
plugins
detect examples/hopper.jpg --json > /dev/full
tty detect examples/hopper.jpg
tty verify examples/hopper.jpg examples/collins.jpg
"""

DETECT = """
detect examples/collins.jpg examples/collins_variant.jpg examples/hopper.jpg --json
detect examples/collins.jpg examples/collins_variant.jpg examples/hopper.jpg -f jsonl
detect examples/collins.jpg examples/collins_variant.jpg examples/hopper.jpg -f csv
detect examples/collins.jpg examples/collins_variant.jpg examples/hopper.jpg -f table
detect examples --json
detect in/many --json
detect in/group.png --json
detect in/group.png in/blank.png -f csv
detect in/group.png in/blank.png -f table
detect in/group.png --face only --json
detect in/group.png --face largest -f csv
detect in/group.png --face score -f csv
detect in/group.png --face 1 -f csv
detect in/group.png --face 7 --json
detect in/group.png --face nearest
detect in/dot.png --json
detect in/bomb.png --json
detect in/page.jpg in/photo.heic --json
detect in/turned.jpg --json
detect in/hopper 'in/odd name ü.jpg' -f csv
detect in/missing.jpg examples/hopper.jpg in/text.jpg in/cut.jpg in/empty.jpg -f jsonl
detect in/missing.jpg examples/hopper.jpg in/text.jpg in/cut.jpg in/empty.jpg -f csv
detect in/missing.jpg examples/hopper.jpg in/text.jpg in/cut.jpg in/empty.jpg -f table
detect in/none --json
detect - --json < examples/hopper.jpg
detect - examples/collins.jpg - -f csv < examples/hopper.jpg
detect --files-from in/list.txt -f csv
detect --files-from - -f csv < in/list.txt
detect --files-from0 in/list.bin -f csv
detect --files-from in/missing.txt
detect --files-from - - --json < in/list.txt
detect {server}/hopper.jpg --json
detect {server}/nobody.jpg {server}/CREDITS.md {server}/ --json
detect http://127.0.0.1:9/hopper.jpg ftp://127.0.0.1/a.jpg --json --timeout 5
detect examples/hopper.jpg --detector haar --json
detect examples/hopper.jpg --detector nobody --json
detect examples/hopper.jpg --detector yunet --json
detect examples/hopper.jpg --detector retinaface -p retinaface.model=nothing --json
detect examples/hopper.jpg --min-face-size 100 --json
detect examples/hopper.jpg --min-face-size 400 -f csv
detect examples/hopper.jpg --min-face-size 0
detect examples/hopper.jpg --detector haar --min-face-size 100 --json
detect examples/hopper.jpg -p mtcnn.factor=0.8 --json
detect examples/hopper.jpg -p mtcnn.thresholds=[0.7,0.8,0.8] -f csv
detect examples/hopper.jpg -p mtcnn.factor=2
detect examples/hopper.jpg -p mtcnn.nothing=1 --json
detect examples/hopper.jpg -p factor
detect in/group.png --detector haar -p haar.min_neighbors=1 -p haar.eyes=true -f csv
detect examples/hopper.jpg --preset deepface --json
detect examples/hopper.jpg --preset insightface --json
detect examples/hopper.jpg --preset face_recognition -f csv
detect examples/hopper.jpg --preset nobody
detect examples/hopper.jpg --max-pixels 1000 --json
detect examples/hopper.jpg --max-bytes 1000 --json
detect examples/hopper.jpg --max-pixels 0
detect examples/hopper.jpg --json --format csv
detect examples/hopper.jpg --format xml
detect examples/collins.jpg in/group.png examples/hopper.jpg --batch-size 3 --jobs 2 --threads 1 -f csv
detect examples/hopper.jpg --batch-size 2000
detect examples/hopper.jpg --device cpu --session-option session.intra_op.allow_spinning=0 -f csv
detect examples/hopper.jpg --session-option nothing
detect examples/hopper.jpg --provider-option cuda.nothing=1
detect in/group.png --crops out --json
detect examples/hopper.jpg examples/collins.jpg examples/hopper.jpg --crops out -f csv
detect in/group.png --detector haar --crops out -q
detect examples/hopper.jpg --crops out --crops-for mobilefacenet -q
detect examples/hopper.jpg --crops out --crops-for nobody
detect examples/hopper.jpg --crops nowhere/out --json
detect examples --crops examples
detect in/blank.png --crops out --json
detect in/group.png --annotate out.png -q
detect examples/hopper.jpg in/blank.png in/missing.jpg --annotate out --json
detect examples/hopper.jpg --annotate examples/hopper.jpg
detect examples --annotate examples --json
detect examples/hopper.jpg --annotate nowhere/out.png --json
detect examples --annotate out.png
FACECLI_FORMAT=csv detect examples/hopper.jpg
FACECLI_DETECTOR=haar FACECLI_PRESET=face_recognition detect examples/hopper.jpg -f csv
FACECLI_MIN_FACE_SIZE=400 detect examples/hopper.jpg -f csv
FACECLI_MAX_PIXELS=1000 FACECLI_QUIET=1 detect examples/hopper.jpg -f csv
FACECLI_DEVICE=cuda detect examples/hopper.jpg
"""

VERIFY = """
verify examples/collins.jpg examples/collins_variant.jpg --json
verify examples/collins.jpg examples/collins_variant.jpg -f csv
verify examples/collins.jpg examples/collins_variant.jpg -f table
verify examples/collins.jpg examples/hopper.jpg --exit-code -f csv
verify examples/collins.jpg examples/hopper.jpg --flip --json
verify examples/collins.jpg examples/hopper.jpg --metric cosine --json
verify examples/collins.jpg examples/hopper.jpg --metric euclidean_l2 -f csv
verify examples/collins.jpg examples/hopper.jpg --metric angular -f csv
verify examples/collins.jpg examples/hopper.jpg --threshold 0.7 --json
verify examples/collins.jpg examples/hopper.jpg --threshold high
verify examples/collins.jpg examples/hopper.jpg --threshold 0.7 --metric cosine --fmr 0.01
verify examples/collins.jpg examples/hopper.jpg --fmr 0.001 --json
verify examples/collins.jpg examples/hopper.jpg --fmr 0.01 --metric cosine --json
verify examples/collins.jpg examples/hopper.jpg --operating-point nothing --json
verify examples/collins.jpg examples/hopper.jpg --operating-point catalogue -f csv
verify examples/collins.jpg examples/hopper.jpg --recognizer nobody --json
verify examples/collins.jpg examples/hopper.jpg --recognizer mobilefacenet --json
verify examples/collins.jpg examples/hopper.jpg --recognizer dlib-resnet,nobody
verify examples/collins.jpg examples/hopper.jpg --recognizer dlib-resnet,dlib-resnet --json
verify examples/collins.jpg examples/hopper.jpg --detector haar --json
verify examples/collins.jpg examples/hopper.jpg --no-detect --json
verify examples/collins.jpg examples/hopper.jpg --preset deepface
verify examples/collins.jpg examples/hopper.jpg --preset deepface --recognizer dlib-resnet --json
verify examples/collins.jpg examples/hopper.jpg --preset insightface
verify examples/collins.jpg examples/hopper.jpg --preset facenet-pytorch
verify examples/collins.jpg examples/hopper.jpg --preset facenet-pytorch --recognizer dlib-resnet --json
verify examples/collins.jpg examples/hopper.jpg --preset face_recognition --json
verify examples/collins.jpg in/group.png --json
verify examples/collins.jpg in/group.png --face all --json
verify examples/collins.jpg in/group.png --face only --json
verify in/group.png examples/hopper.jpg --face 9 --json
verify in/missing.jpg in/text.jpg --json
verify examples/collins.jpg in/blank.png --json
verify examples/collins.jpg examples --json
verify examples/collins.jpg
verify - examples/hopper.jpg -f csv < examples/collins.jpg
verify - - < examples/collins.jpg
verify examples/collins.jpg examples/hopper.jpg --anti-spoof --json
verify examples/collins.jpg examples/hopper.jpg --anti-spoof --no-detect
verify examples/collins.jpg examples/hopper.jpg --plot out.png --json
verify examples/collins.jpg examples/hopper.jpg --plot examples/hopper.jpg
verify examples/collins.jpg examples/hopper.jpg --plot nowhere/out.png --json
FACECLI_METRIC=cosine FACECLI_FLIP=1 verify examples/collins.jpg examples/hopper.jpg -f csv
FACECLI_OPERATING_POINT=nothing verify examples/collins.jpg examples/hopper.jpg
"""

EMBED = """
embed examples/collins.jpg in/group.png --json
embed examples/hopper.jpg -f jsonl
embed examples/hopper.jpg in/blank.png -f csv
embed examples/hopper.jpg -f table
embed examples/hopper.jpg --flip --json
embed examples/hopper.jpg --no-detect --json
embed examples/hopper.jpg --preset deepface --recognizer dlib-resnet -f csv
embed examples/hopper.jpg --recognizer nobody
embed examples/hopper.jpg --recognizer dlib-resnet,dlib-resnet
embed in/missing.jpg in/blank.png in/text.jpg --json
embed examples/hopper.jpg in/group.png -o out.npz --json
embed examples/hopper.jpg in/missing.jpg -o out.npy -f csv
embed examples/hopper.jpg in/group.png -o out.parquet -q
embed in/blank.png -o out.npz --json
embed examples/hopper.jpg -o out.txt
embed examples/hopper.jpg -o nowhere/out.npz --json
embed examples/hopper.jpg -o examples/hopper.jpg
embed --files-from in/list.txt -f csv
embed - -f csv < examples/hopper.jpg
"""

ATTRIBUTES = """
emotion examples/collins.jpg in/group.png --json
emotion examples/hopper.jpg -f jsonl
emotion examples/hopper.jpg in/blank.png -f csv
emotion examples/hopper.jpg -f table
emotion examples/hopper.jpg --labels happy,sad --json
emotion examples/hopper.jpg --labels happy,bored
emotion examples/hopper.jpg --model emotion/facecli-resnet -f csv
emotion examples/hopper.jpg --model emotion/mini-xception --json
emotion examples/hopper.jpg --no-detect -f csv
emotion examples/hopper.jpg --preset deepface
emotion in/group.png --face 0 --annotate out.png -q
emotion in/missing.jpg examples/hopper.jpg in/cut.jpg --json
analyze examples/collins.jpg in/group.png --json
analyze examples/hopper.jpg -a pose,quality --json
analyze examples/hopper.jpg -a pose,quality,emotion -f csv
COLUMNS=200 analyze examples/hopper.jpg -a pose,quality,emotion -f table
analyze examples/hopper.jpg -a pose --detector haar
analyze examples/hopper.jpg -a quality --no-detect -f csv
analyze examples/hopper.jpg -a mood --json
analyze examples/hopper.jpg -a age,gender,race
analyze examples/hopper.jpg -a spoof --json
analyze examples/hopper.jpg -a emotion,emotion/facecli-resnet --json
analyze examples/hopper.jpg -a emotion --labels happy -f csv
analyze examples/hopper.jpg --preset deepface
analyze examples/hopper.jpg in/group.png -a emotion,quality --annotate out --json
analyze in/missing.jpg in/blank.png --json
"""

JUDGING = """
evaluate in/pairs.csv --root examples --json
evaluate in/pairs.csv --root examples -f csv
evaluate in/pairs.csv --root examples -f table
evaluate in/pairs.csv --root examples --metric cosine --flip -f csv
evaluate in/pairs.csv --root examples --fmr 0.01 --json
evaluate in/pairs.csv --root examples --detector haar --json
evaluate in/pairs.csv --root examples --preset face_recognition --json
evaluate in/pairs.csv --root examples --recognizer dlib-resnet,dlib-resnet
evaluate in/pairs.csv --root examples --roc out.csv -q
evaluate in/pairs.csv --root examples --roc in/pairs.csv
evaluate in/pairs.csv --root examples --roc nowhere/out.csv --json
evaluate in/pairs.csv --root examples --roc out.png --json
evaluate in/pairs.csv --json
evaluate - --root examples -f csv < in/pairs.csv
evaluate in/pairs_failing.csv --json
evaluate in/pairs_copies.csv --root in/copies --json
evaluate in/pairs_columns.csv --root examples
evaluate in/pairs_words.csv --root examples --json
evaluate in/pairs_contradicting.csv --root examples
evaluate-detection --root examples --ground-truth in/truth.json --json
evaluate-detection --root examples --ground-truth in/truth.json -f csv
COLUMNS=250 evaluate-detection --root examples --ground-truth in/truth.json -f table
evaluate-detection --root examples --ground-truth in/truth.json --detector haar --json
evaluate-detection --root examples --ground-truth in/truth.json --score-threshold 0.5
evaluate-detection --root in --ground-truth in/truth_subsets.json --json
evaluate-detection --root examples --ground-truth in/truth_cut.json --json
evaluate-detection --root examples --ground-truth in/truth_wrong.json
evaluate-detection --root in --ground-truth in/truth.json --json
evaluate-detection --root examples --ground-truth in/missing.json
calibrate
calibrate --list --remove x
calibrate --remove nothing --json
calibrate in/pairs.csv --root examples --json
calibrate in/pairs_copies.csv --root in/copies --fmr 0.4 --name ../x
calibrate in/pairs_copies.csv --root in/copies --fmr 0.4 -f csv
calibrate in/pairs_same.csv --root in/copies --fmr 0.5 --json
"""

MODELS = """
models list --json
models list -f csv
COLUMNS=200 models list
models list -f jsonl --installed
models list --commercial-ok -f csv
models list --installed -f table
models info dlib-resnet --json
models info mtcnn -f csv
models info emotion/facecli-resnet --json
models info yunet/2023mar-640 --json
models info vgg-face --json
models info spoof/minifasnet
models info nothing --json
models path dlib-resnet --json
models path yunet/2023mar-640 --json
models verify --json
models verify mtcnn yunet/2023mar-640 --json
models pull mtcnn --json
models pull yunet/2023mar-640 --json
models pull buffalo_l
models pull arcface-w600k-r50 --json
models pull arcface-w600k-r50 --accept-license --json
models pull nothing --json
FACECLI_OFFLINE=0 models pull yunet/2023mar-640 --json
FACECLI_MODELS_MIRROR=in/mirror models pull yunet/2023mar-640 --json
FACECLI_MODELS_MIRROR={server} models pull yunet/2023mar-640 --json
FACECLI_ACCEPT_LICENSE=1 models pull scrfd/10g
models rm mtcnn --json
models rm yunet/2023mar-640
models prune --json
models export-bundle out.zip --json
models export-bundle out.zip yunet/2023mar-640 --json
models export-bundle nowhere/out.zip mtcnn
models import-bundle in/words.zip --json
models import-bundle in/other.zip --json
models add in/words.onnx --name mine
models add {embedded}/dlib_resnet.onnx --json
models add {embedded}/mtcnn_onet.onnx --name mine --kind detector --family yunet
models add {embedded}/dlib_resnet.onnx --name mine --mean words
FACECLI_HOME= models list --installed -f csv
"""

PLUGINS = """
plugins list --json
plugins list -f csv
COLUMNS=200 plugins list -f table
plugins info mtcnn --json
plugins info dlib-resnet -f csv
plugins info haar -f table
plugins info emotion/facecli-resnet --json
plugins info nothing --json
plugins check mtcnn --json
plugins check dlib-resnet --picture examples/hopper.jpg -f table
plugins check yunet --json
plugins check mtcnn --picture in/blank.png --json
plugins check nothing --json
PYTHONPATH={site} plugins list -f csv
PYTHONPATH={site} --help
PYTHONPATH={site} example-info
FACECLI_NO_PLUGINS=1 PYTHONPATH={site} example-info
PYTHONPATH={site} plugins check example-centre --json
PYTHONPATH={site} plugins info brightness/example --json
PYTHONPATH={site} detect examples/hopper.jpg --detector example-centre --json
PYTHONPATH={site} verify examples/collins.jpg examples/hopper.jpg --recognizer example-thumbnail --json
PYTHONPATH={site} verify examples/collins.jpg examples/hopper.jpg --recognizer dlib-resnet,example-thumbnail --json
PYTHONPATH={site} verify examples/collins.jpg examples/hopper.jpg --recognizer dlib-resnet,example-thumbnail -f csv
PYTHONPATH={site} verify examples/collins.jpg in/group.png --recognizer dlib-resnet,example-thumbnail --threshold 1
PYTHONPATH={site} analyze examples/hopper.jpg -a brightness,emotion --json
PYTHONPATH={site} export --list -f csv
PYTHONPATH={broken} plugins list --json
PYTHONPATH={broken} plugins info broken-missing --json
PYTHONPATH={broken} plugins check broken-hook
PYTHONPATH={broken} detect examples/hopper.jpg --detector broken-missing --json
PYTHONPATH={broken} --debug detect examples/hopper.jpg --detector broken-raising
PYTHONPATH={broken} broken-command
PYTHONPATH={broken} doctor --json
doctor --json
doctor --device cpu --strict --json
doctor --device cuda --json
doctor --device nothing
FACECLI_HOME=examples/hopper.jpg doctor --json
"""

EXPORT = """
export
export --list --json
export nothing --json
export retinaface --json
export minifasnet-v2 --weights in/words.dat --json
export emotion
export dlib-resnet --weights in/words.dat -o out
export dlib-resnet --no-register
export dlib-resnet --ort
export dlib-resnet --precision int8
export dlib-resnet --bundle in
export dlib-resnet --recognizer mobilefacenet
export dlib-resnet --evaluate in/pairs_columns.csv
export dlib-resnet --samples in/none
export mtcnn --embed-preprocessing -o out
export mtcnn --precision int8 --calibration in/none
export --embed-preprocessing -o out
export --embed-preprocessing -o out --recognizer nobody
export --embed-preprocessing -o out --detector yunet --json
export --embed-preprocessing -o out --recognizer dlib-resnet --json
export --bundle out --attributes emotion --json
export --bundle out --web-runtime in
export --bundle out --detector haar
export mtcnn -o out --json
export --module nowhere:Nothing --input 1x3x32x32 --no-register -o out
export --module own_network:Tiny --input words --no-register -o out
PYTHONPATH={site} export --module own_network:Tiny --input 1x3x32x32 --no-register -o out --json
PYTHONPATH={site} export --module own_network:Tiny dlib-resnet --input 1x3x32x32
"""

ADD = (
    "models add {embedded}/dlib_resnet.onnx --name mine --kind recognizer --crop dlib --colour RGB --mean 122.782"
    " --std 256 --dim 128 --metric euclidean --licence MIT --commercial-use --source here"
)
OWN = (
    "PYTHONPATH={site} export --module own_network:Tiny --input 1x3x32x32 --kind attribute --attribute mood"
    " --name mood/tiny --labels red,blue --crop bbox --size 32x32 --colour RGB --mean 127.5 --std 127.5"
    " --licence MIT --commercial-use --source here --summary words --logits"
)

SEQUENCES = {
    "calibrate, use, list, replace and remove": """
        calibrate in/pairs_copies.csv --root in/copies --fmr 0.4 --json
        calibrate in/pairs_copies.csv --root in/copies --fmr 0.4 --name mine --metric cosine --json
        calibrate in/pairs_copies.csv --root in/copies --fmr 0.4 --name mine -p mtcnn.factor=0.8
        calibrate in/pairs_failing.csv --fmr 0.5 --name failing --json
        calibrate --list --json
        calibrate --list -f csv
        calibrate --list -f table
        verify examples/collins.jpg examples/hopper.jpg --json
        verify examples/collins.jpg examples/hopper.jpg --operating-point mine --json
        verify examples/collins.jpg examples/hopper.jpg --operating-point catalogue -f csv
        verify examples/collins.jpg examples/hopper.jpg --operating-point mine -p mtcnn.factor=0.8
        evaluate in/pairs.csv --root examples --operating-point mine -f csv
        calibrate --remove mine --json
        calibrate --remove mine
        verify examples/collins.jpg examples/hopper.jpg --operating-point mine
        !damage home/operating_points/*
        calibrate --list
        verify examples/collins.jpg examples/hopper.jpg --json
    """,
    "a model of one's own: add, use, damage and remove": f"""
        {ADD} --threshold 0.6 --json
        {ADD} --threshold 0.6
        {ADD} --threshold 0.5 --replace --summary words -f csv
        models info mine --json
        models list --installed -f csv
        models path mine --json
        models verify mine --json
        plugins list -f csv
        plugins check mine -f csv
        verify examples/collins.jpg examples/hopper.jpg --recognizer mine --json
        verify examples/collins.jpg examples/hopper.jpg --recognizer dlib-resnet,mine --json
        verify examples/collins.jpg examples/hopper.jpg --recognizer dlib-resnet,mine -f table
        embed examples/hopper.jpg --recognizer mine -f csv
        doctor -f csv
        models export-bundle own.zip --json
        models export-bundle own.zip mine -f csv
        !damage home/blobs/*.onnx
        models verify mine --json
        models list --installed -f csv
        verify examples/collins.jpg examples/hopper.jpg --recognizer mine --json
        doctor --json
        models pull mine
        models prune --json
        models rm mine --json
        models rm mine
        models prune --json
        models import-bundle own.zip --json
        models import-bundle own.zip --json --accept-exports
        models list --installed -f csv
        verify examples/collins.jpg examples/hopper.jpg --recognizer mine -f csv
    """,
    "models of one's own that do not fit": f"""
        {ADD}
        {ADD} --threshold 0.6 --name dlib-resnet
        {ADD} --threshold 0.6 --name ../x
        {ADD} --threshold 0.6 --crop bbox
        {ADD} --threshold 0.6 --crop mtcnn --json
        {ADD} --threshold 0.6 --margin 0.1
        {ADD} --threshold 0.6 --dim 64 --json
        {ADD} --threshold 0.6 --kind attribute
    """,
    "an attribute model of one's own": f"""
        {OWN} --json
        {OWN}
        analyze examples/hopper.jpg -a mood --json
        analyze examples/hopper.jpg -a mood,emotion -f csv
        models info mood/tiny --json
        models verify --json
        models rm mood/tiny -f csv
        analyze examples/hopper.jpg -a mood
    """,
    "an export in the place of an embedded model, with its accuracy": """
        export dlib-resnet --precision fp16 --evaluate in/pairs.csv --root examples --ort -o out --json
        models list --installed -f csv
        verify examples/collins.jpg examples/hopper.jpg --recognizer dlib-resnet-fp16 --json
        models rm dlib-resnet-fp16 --json
    """,
    "the store in the user's own data folder": f"""
        FACECLI_HOME= {ADD} --threshold 0.6 --json
        FACECLI_HOME= models list --installed -f csv
    """,
    "outputs that are there already": """
        !copy examples/hopper.jpg out/hopper.0.png
        detect examples/hopper.jpg --crops out -f csv
        detect examples/hopper.jpg --crops out -f csv
        embed examples/hopper.jpg -o out.npz -q
        embed examples/collins.jpg -o out.npz -q
    """,
}

BROKEN_ENTRY_POINTS = """
[facecli.detectors]
broken-missing = no_such_module
broken-raising = broken_raising
broken-hook = broken_hook
[facecli.recognizers]
dlib-resnet = broken_hook
[facecli.commands]
broken-command = broken_raising
detect = broken_hook
"""

OWN_NETWORK = """
import torch


class Tiny(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.ends = torch.nn.Linear(3, 2)
        with torch.no_grad():
            self.ends.weight.copy_(torch.tensor([[0.5, -0.25, 0.125], [-0.5, 0.75, 0.0625]]))
            self.ends.bias.copy_(torch.tensor([0.0, 0.5]))

    def forward(self, crops):
        return self.ends(torch.relu(crops).mean(dim=(2, 3)))
"""


# Inputs


def chunk(kind: bytes, body: bytes) -> bytes:
    """Make a chunk of a PNG file."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, rows: bytes) -> bytes:
    """Make a PNG file of RGB rows, each after its filter byte."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def blank(width: int, height: int) -> bytes:
    """Make a picture without a face: a ramp of grey."""
    row = b"".join(bytes([40 + 180 * x // width]) * 3 for x in range(width))
    return png(width, height, (b"\0" + row) * height)


def rows_of(data: bytes) -> list[bytes]:
    """Read the rows of pixels of an RGB PNG file without interlacing."""
    width, height, depth, colour, *_, interlaced = struct.unpack(">IIBBBBB", data[16:29])
    assert (depth, colour, interlaced) == (8, 2, 0), "facecli wrote another kind of PNG file than it used to"
    packed, at = b"", 8
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        packed += data[at + 8 : at + 8 + size] if data[at + 4 : at + 8] == b"IDAT" else b""
        at += size + 12
    raw, length = zlib.decompress(packed), 3 * width
    rows = [bytes(length)]
    for start in range(0, height * (length + 1), length + 1):
        rows.append(unfiltered(raw[start], raw[start + 1 : start + 1 + length], rows[-1]))
    return rows[1:]


def unfiltered(kind: int, line: bytes, above: bytes) -> bytes:
    """Undo the filter of a row of pixels of three bytes."""
    row = bytearray(line)
    for x, value in enumerate(line):
        a, b, c = (row[x - 3], above[x], above[x - 3]) if x >= 3 else (0, above[x], 0)
        nearest = min((abs(b - c), 0, a), (abs(a - c), 1, b), (abs(a + b - 2 * c), 2, c))[2]
        row[x] = (value + (0, a, b, (a + b) // 2, nearest)[kind]) & 255
    return bytes(row)


def side_by_side(pictures: list[bytes]) -> bytes:
    """Make one PNG file of several that are equally high."""
    rows = [b"\0" + b"".join(parts) for parts in zip(*map(rows_of, pictures), strict=True)]
    return png(len(rows[0]) // 3, len(rows), b"".join(rows))


def turned(jpeg: bytes) -> bytes:
    """Make a JPEG file whose EXIF data ask to turn it by 90 degrees."""
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + jpeg[2:]


def zipped(**files: str) -> bytes:
    """Make a ZIP file."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name), text)
    return buffer.getvalue()


def pairs(*rows: str, header: str = "file_a,file_b,same") -> bytes:
    """Make a list of pairs."""
    return "\n".join([header, *rows, ""]).encode()


def inputs(portraits: Mapping[str, bytes], group: bytes) -> dict[str, bytes]:
    """Make the files that cases are about, by their names."""
    hopper = portraits["hopper.jpg"]
    box = {"boxes_xywh": [[148, 93, 153, 197]]}
    truth = {"collins.jpg": {"boxes_xywh": [[180, 60, 90, 115]]}, "hopper.jpg": box}
    several = {"boxes_xywh": [[148, 93, 153, 197], [617, 60, 90, 115], [1043, 48, 94, 113]]}
    subsets = {"easy": [0], "medium": [0, 1], "hard": [0, 1, 2]}
    none = {"boxes_xywh": [[0, 0, 0, 0]], "easy": [], "medium": [], "hard": []}
    copies = {f"copies/{name}_{n}.jpg": portraits[f"{name}.jpg"] for name in ("collins", "hopper") for n in range(4)}
    named = [f"{name}_{n}.jpg" for name in ("collins", "hopper") for n in range(4)]
    crossed = [f"{a},{b},{int(a[0] == b[0])}" for i, a in enumerate(named) for b in named[i + 1 :]]
    same = [f"collins_{a}.jpg,collins_{b}.jpg,0" for a in range(4) for b in range(a)]
    failing = ["in/copies/" + row.replace(",h", ",in/copies/h").replace(",c", ",in/copies/c") for row in crossed]
    return copies | {
        "text.jpg": b"a letter, not a picture\n",
        "page.jpg": b"<!doctype html><title>404</title>",
        "photo.heic": b"\0\0\0\x18ftypheic\0\0\0\0",
        "cut.jpg": hopper[: len(hopper) * 2 // 3],
        "empty.jpg": b"",
        "blank.png": blank(300, 200),
        "dot.png": blank(1, 1),
        "bomb.png": png(20000, 20000, bytes(10**5)),
        "group.png": group,
        "turned.jpg": turned(hopper),
        "hopper": hopper,
        "odd name ü.jpg": hopper,
        "many/a.jpg": portraits["collins.jpg"],
        "many/deep/b.jpg": hopper,
        "many/deep/broken.png": b"broken",
        "many/notes.txt": b"words\n",
        "list.txt": b"examples/hopper.jpg\n\nin/missing.jpg\nin/odd name \xc3\xbc.jpg\r\n",
        "list.bin": b"examples/hopper.jpg\0in/odd name \xc3\xbc.jpg\0",
        "pairs.csv": pairs(
            "collins.jpg,collins_variant.jpg,1",
            "collins.jpg,hopper.jpg,0",
            "collins_variant.jpg,hopper.jpg,0",
        ),
        "pairs_copies.csv": pairs(*crossed),
        "pairs_same.csv": pairs(*same, "hopper_0.jpg,hopper_1.jpg,1"),
        "pairs_contradicting.csv": pairs("collins.jpg,hopper.jpg,0", "hopper.jpg,collins.jpg,1"),
        "pairs_failing.csv": pairs(*failing, "in/blank.png,in/missing.jpg,0", "in/text.jpg,examples/hopper.jpg,1"),
        "pairs_columns.csv": pairs("collins.jpg,hopper.jpg,0", header="a,b,same"),
        "pairs_words.csv": pairs("collins.jpg,hopper.jpg,maybe"),
        "truth.json": json.dumps(truth).encode(),
        "truth_subsets.json": json.dumps({"group.png": several | subsets, "blank.png": none}).encode(),
        "truth_cut.json": json.dumps(truth).encode()[:40],
        "truth_wrong.json": json.dumps(truth | {"hopper.jpg": {"boxes_xywh": [[148, 93, -1, 197]]}}).encode(),
        "mirror/face_detection_yunet_2023mar.onnx": b"words\n",
        "words.onnx": b"words\n",
        "words.dat": b"words\n",
        "words.zip": b"words\n",
        "other.zip": zipped(notes="words\n"),
        "none/notes.txt": b"words\n",
    }


def write_all(folder: Path, files: Mapping[str, bytes | str]) -> None:
    """Write files by their names into a folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)


def write_plugins(site: Path, broken: Path) -> None:
    """Write two folders as pip would: one with the example's plugins, and one with broken ones."""
    example = EXAMPLES / "facecli-example-plugin"
    project = tomllib.loads((example / "pyproject.toml").read_text("utf-8"))["project"]
    shutil.copytree(example / "facecli_example", site / "facecli_example")
    groups = project["entry-points"].items()
    points = "".join(
        f"[{group}]\n" + "".join(f"{name} = {module}\n" for name, module in own.items()) for group, own in groups
    )
    told = "Metadata-Version: 2.1\nName: {}\nVersion: {}\n"
    write_all(
        site,
        {
            "own_network.py": OWN_NETWORK,
            "facecli_example_plugin-1.dist-info/METADATA": told.format(project["name"], project["version"]),
            "facecli_example_plugin-1.dist-info/entry_points.txt": points,
        },
    )
    write_all(
        broken,
        {
            "broken_raising.py": "raise RuntimeError('this plugin does not start')\n",
            "broken_hook.py": "",
            "broken-1.dist-info/METADATA": told.format("broken", "1.0"),
            "broken-1.dist-info/entry_points.txt": BROKEN_ENTRY_POINTS,
        },
    )


class Portraits(SimpleHTTPRequestHandler):
    """Serve the portraits, and say nothing of it."""

    def log_message(self, *_: object) -> None:
        pass


# What is recorded


TIMES = {"seconds", "ms_per_picture", "latency_ms"}
BRACKETS = str.maketrans("{}", "<>")
CORNERS = "┃│┏┓┡┩└┘┳╇┴╈"


def plain_times(value: Any) -> Any:
    """Replace each value in a value by a word."""
    if isinstance(value, dict):
        return {key: plain_times(inner) for key, inner in value.items()}
    return value if value is None else "<time>"


def plain_json(value: Any) -> Any:
    """Replace in a document what differs by nature: times, the number of cores, and hashes of .ort files."""
    if isinstance(value, list):
        return [plain_json(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    if value.get("check") == "cores":
        value = value | {"found": "<cores>"}
    if value.get("kind") == "ort":
        value = value | {"sha256": "<hash>"}
    return {key: plain_times(inner) if key in TIMES else plain_json(inner) for key, inner in value.items()}


def plain_table(text: str) -> str:
    """Replace in a table or in CSV lines the times in the last column, and the number of cores."""
    text = re.sub(r"^(cores,True,)\d+", r"\1<cores>", text, flags=re.MULTILINE)
    text = re.sub(r"^(│ cores +│ True │ )\d+ *", r"\1<cores> ", text, flags=re.MULTILINE)
    if "ms per picture" not in text:
        return text
    lines = text.splitlines()
    inside = f"[^{CORNERS}]*"
    return "\n".join(re.sub(rf"(?<=[{CORNERS}]){inside}[{CORNERS}]$|(?<=,)[\d.]+$", "<time>", line) for line in lines)


def plain_traceback(text: str) -> str:
    """Leave out of tracebacks in which files, lines and modules of the code they were."""
    text = re.sub(r"^(Traceback .*:\n)(?:  .*\n|\n(?=  ))+", r"\1  <frames>\n", text, flags=re.MULTILINE)
    return re.sub(r"(  <frames>\n)(?:\w+\.)+(\w+)", r"\1\2", text)


@dataclass
class Plain:
    """Replaces in texts what is only of this run."""

    places: dict[str, str]

    def text(self, text: str) -> str:
        """Replace folders, random names and dates in a text."""
        for place, name in sorted(self.places.items(), key=lambda pair: -len(pair[0])):
            text = text.replace(place, name)
        text = re.sub(r"(<tmp>/[\w.-]*?)\w{8}\b", r"\1<random>", text)
        text = re.sub(r"(\.facecli-)[0-9a-f]{16}", r"\1<random>", text)
        text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d[\d:.]*(?:Z|\+00:00)?", "<time>", text)
        return text.replace(f"{datetime.now(UTC):%Y-%m-%d}", "<today>")

    def answer(self, data: bytes) -> Any:
        """Read an output as JSON if it is JSON, else as text."""
        text = self.text(data.decode("utf-8", "backslashreplace"))
        for form, parts in (("JSON", [text]), ("JSON Lines", text.splitlines())):
            try:
                documents = [plain_json(json.loads(part)) for part in parts]
            except ValueError:
                continue
            if documents:
                lines = text.count("\n")
                return {"form": form, "lines": lines, "json": documents[0] if form == "JSON" else documents}
        return plain_table(plain_traceback(text))

    def file(self, name: str, data: bytes) -> Any:
        """Tell what is in a file: its text or JSON if it is short, the files in it if it is a ZIP, else its hash."""
        if name.endswith(".stamp"):
            return "a stamp, which has the time of a file"
        if name.endswith(".zip"):
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                return {one: self.file(one, archive.read(one)) for one in archive.namelist()}
        if len(data) < LARGE:
            try:
                data.decode("utf-8")
            except UnicodeDecodeError:
                pass
            else:
                return self.answer(data)
        return {"size": len(data), "sha256": "<hash>" if name.endswith(".ort") else hashlib.sha256(data).hexdigest()}


@dataclass
class Stage:
    """Hold what all cases share: the command, and the folders and the server that are made for it."""

    facecli: str
    folder: Path
    server: str
    embedded: tuple[Path, ...]
    files: dict[str, bytes]

    @property
    def words(self) -> dict[str, str]:
        """Tell what the braces in cases stand for."""
        site, broken = str(self.folder / "site"), str(self.folder / "broken")
        files = {f"{{embedded}}/{path.name}": str(path) for path in self.embedded}
        return files | {"{site}": site, "{broken}": broken, "{server}": self.server}

    def plain(self, case: Path) -> Plain:
        """Name what replaces the folders of a case."""
        places = {str(case / name): f"<{name}>" for name in ("home", "work", "tmp", "user")}
        places |= {str(path.parent): "<embedded>" for path in self.embedded}
        return Plain(places | {real: word.translate(BRACKETS) for word, real in self.words.items()})


def environment(case: Path) -> dict[str, str]:
    """Make variables without any setting of this user, and without a network."""
    # Nothing listens at port 9.
    nowhere = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")
    return nowhere | {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(case / "user"),
        "TMPDIR": str(case / "tmp"),
        "FACECLI_HOME": str(case / "home"),
        "FACECLI_OFFLINE": "1",
        "PYTHONSAFEPATH": "1",
        "LANG": "C.UTF-8",
        "TERM": "xterm-256color",
        "COLUMNS": "100",
        "no_proxy": "127.0.0.1",
        "NO_PROXY": "127.0.0.1",
    }


def hashed(case: Path) -> dict[str, str]:
    """Hash the files in a case's folders, but not what libraries keep for themselves."""
    found = {}
    for top in ("home", "work", "tmp", "user"):
        for path in sorted((case / top).rglob("*")):
            if path.is_file() and not {"__pycache__", ".cache", ".config", ".ses"} & set(path.parts):
                found[path.relative_to(case).as_posix()] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


@dataclass
class Words:
    """Hold a line of a case, taken apart."""

    variables: dict[str, str]
    arguments: list[str]
    stdin: str | None = None
    stdout: str | None = None
    terminal: bool = False

    @classmethod
    def of(cls, line: str, known: Mapping[str, str]) -> Words:
        """Take a line apart."""
        for word, real in known.items():
            line = line.replace(word, real)
        parts = shlex.split(line)
        terminal = parts[:1] == ["tty"]
        parts = parts[terminal:]
        variables = {}
        while parts and re.match(r"[A-Z_]+=", parts[0]):
            name, _, value = parts.pop(0).partition("=")
            variables[name] = value
        streams: dict[str, str | None] = {"<": None, ">": None}
        while len(parts) > 1 and parts[-2] in streams:
            streams[parts[-2]] = parts[-1]
            del parts[-2:]
        return cls(variables, parts, streams["<"], streams[">"], terminal)


def on_terminal(command: list[str], **more: Any) -> tuple[int, bytes, bytes]:
    """Run a command whose stdout is a terminal."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(command, stdout=theirs, stderr=subprocess.PIPE, **more) as running:
        os.close(theirs)
        written = b""
        while part := _read_terminal(ours):
            written += part
        assert running.stderr is not None
        errors = running.stderr.read()
    os.close(ours)
    return running.returncode, written.replace(b"\r\n", b"\n"), errors


def _read_terminal(terminal: int) -> bytes:
    try:
        return os.read(terminal, 2**16)
    except OSError:  # how Linux tells that nobody writes any more
        return b""


def execute(facecli: str, words: Words, case: Path) -> tuple[int, bytes, bytes]:
    """Run the command in a case's folder, and return its exit code, stdout and stderr."""
    command, work = [facecli, *words.arguments], case / "work"
    env = environment(case) | words.variables
    with open(work / words.stdin if words.stdin else os.devnull, "rb") as stdin:  # noqa: PTH123
        if words.terminal:
            return on_terminal(command, stdin=stdin, env=env, cwd=work)
        with open(words.stdout or os.devnull, "wb") as out:  # noqa: PTH123
            stdout = out if words.stdout else subprocess.PIPE
            done = subprocess.run(
                command,
                stdin=stdin,
                stdout=stdout,
                stderr=subprocess.PIPE,
                env=env,
                cwd=work,
                timeout=LIMIT,
                check=False,
            )
    return done.returncode, done.stdout or b"", done.stderr


def own_step(line: str, case: Path) -> None:
    """Do what is not the command's: damage files, or copy one."""
    verb, *names = shlex.split(line)
    if verb == "!copy":
        source, target = (case / "work" / name for name in names)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)
        return
    assert verb == "!damage", f"{verb} is not known"
    for path in sorted(case.glob(names[0])):
        data = path.read_bytes()
        path.write_bytes(data[: len(data) // 2] + bytes([data[len(data) // 2] ^ 255]) + data[len(data) // 2 + 1 :])


def step(stage: Stage, line: str, case: Path) -> dict[str, Any]:
    """Do one line of a case, and tell what came of it."""
    if line.startswith("!"):
        own_step(line, case)
        return {"line": line}
    before = hashed(case)
    status, stdout, stderr = execute(stage.facecli, Words.of(line, stage.words), case)
    after, plain = hashed(case), stage.plain(case)
    changed = [name for name, content in after.items() if before.get(name) != content]
    answer: dict[str, Any] = {"line": line, "exit": status, "stdout": plain.answer(stdout)}
    answer["stderr"] = plain.answer(stderr)
    if changed:
        answer["written"] = {plain.text(name): plain.file(name, (case / name).read_bytes()) for name in changed}
    if removed := [plain.text(name) for name in before if name not in after]:
        answer["removed"] = removed
    return answer


def run_case(stage: Stage, lines: list[str]) -> list[dict[str, Any]]:
    """Do the lines of a case in folders of its own."""
    case = Path(tempfile.mkdtemp(prefix="case-", dir=stage.folder))
    try:
        for name in ("home", "tmp", "user"):
            (case / name).mkdir()
        write_all(case / "work" / "examples", {name: (EXAMPLES / name).read_bytes() for name in PORTRAITS})
        write_all(case / "work" / "in", stage.files)
        return [step(stage, line, case) for line in lines]
    finally:
        shutil.rmtree(case)


# Which cases there are


def helps(stage: Stage) -> dict[str, list[str]]:
    """Find a case for the help of each command, as the helps of the groups name them."""
    found: dict[str, list[str]] = {}
    waiting = [""]
    while waiting:
        name = waiting.pop(0)
        line = f"{name} --help".strip()
        found[line] = [line]
        (answer,) = run_case(stage, [line])
        _, _, listed = str(answer["stdout"]).partition("\nCommands:\n")
        waiting += [f"{name} {command}".strip() for command in re.findall(r"^  (\S+)", listed, re.MULTILINE)]
    return found


def lines_of(text: str) -> list[str]:
    """Take the lines of a text that say something."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def cases(stage: Stage) -> dict[str, list[str]]:
    """List all cases: their names, and the lines of each."""
    tables = (GENERAL, DETECT, VERIFY, EMBED, ATTRIBUTES, JUDGING, MODELS, PLUGINS, EXPORT)
    single = [line for table in tables for line in lines_of(table)]
    assert len(set(single)) == len(single), "a case is there twice"
    no_arguments = {"(no arguments)": [""]}
    return (
        helps(stage) | no_arguments | {line: [line] for line in single} | {k: lines_of(v) for k, v in SEQUENCES.items()}
    )


# The two commands of this script


def staged(facecli: str, folder: Path, server: str) -> Stage:
    """Make what all cases share. The command says where its models are, and turns the portraits into PNG files."""
    portraits = {name: (EXAMPLES / name).read_bytes() for name in PORTRAITS}
    stage = Stage(facecli, folder, server, (), {})
    write_plugins(folder / "site", folder / "broken")
    first = folder / "first"
    for name in ("work", "tmp", "user", "home"):
        (first / name).mkdir(parents=True)
    write_all(first / "work", portraits)
    for model in ("dlib-resnet", "mtcnn", "emotion/facecli-resnet"):
        _, found, _ = execute(facecli, Words.of(f"models path {model} --json", {}), first)
        stage.embedded += tuple(Path(file["path"]) for file in json.loads(found)["files"])
    # Where no face is found, the annotated picture is the picture.
    for name in PORTRAITS:
        words = Words.of(f"detect {name} --annotate {name}.png --min-face-size 2000", {})
        status, _, errors = execute(facecli, words, first)
        if status:
            sys.exit(f"facecli could not make a PNG file of {name}: {errors.decode()}")
    made = [(first / "work" / f"{name}.png").read_bytes() for name in ("hopper.jpg", "collins.jpg")]
    stage.files = inputs(portraits, side_by_side(made))
    shutil.rmtree(first)
    return stage


def record(out: Path, facecli: str, only: str) -> None:
    """Run all cases, and write what came of them."""
    start = time.monotonic()
    serve = functools.partial(Portraits, directory=str(EXAMPLES))
    with (
        tempfile.TemporaryDirectory(prefix="facecli-record-") as folder,
        ThreadingHTTPServer(("127.0.0.1", 0), serve) as server,
    ):
        threading.Thread(target=server.serve_forever, daemon=True).start()
        stage = staged(facecli, Path(folder).resolve(), f"http://127.0.0.1:{server.server_port}")
        wanted = {name: lines for name, lines in cases(stage).items() if only in name}
        recorded = {}
        for number, (name, lines) in enumerate(wanted.items(), 1):
            sys.stderr.write(f"{number}/{len(wanted)} {name}\n")
            recorded[name] = run_case(stage, lines)
        server.shutdown()
    out.write_text(json.dumps(recorded, indent=1, ensure_ascii=False) + "\n", "utf-8")
    commands = sum(len(lines) for lines in wanted.values())
    sys.stderr.write(f"{len(wanted)} cases, {commands} commands, {time.monotonic() - start:.0f} s\n")


def differences(before: Any, after: Any, path: str = "") -> Iterator[str]:
    """Tell each difference of two values: where it is, and what was and is there."""
    if isinstance(before, dict) and isinstance(after, dict):
        yield from _of_dicts(before, after, path)
    elif isinstance(before, list) and isinstance(after, list):
        if len(before) != len(after):
            yield f"{path}: {len(before)} entries, now {len(after)}"
        for index, (old, new) in enumerate(zip(before, after, strict=False)):
            yield from differences(old, new, f"{path}[{index}]")
    elif isinstance(before, str) and isinstance(after, str) and before != after and "\n" in before + after:
        lines = difflib.unified_diff(before.splitlines(), after.splitlines(), "before", "after", lineterm="", n=1)
        yield "\n    ".join([f"{path}:", *lines, *([] if before.split() != after.split() else ["(blanks)"])])
    elif json.dumps(before) != json.dumps(after):  # tells 1 from 1.0, and 0.0 from -0.0
        yield f"{path}:\n    - {_short(before)}\n    + {_short(after)}"


def _of_dicts(before: dict[str, Any], after: dict[str, Any], path: str) -> Iterator[str]:
    shared = [key for key in before if key in after]
    for key, value in before.items():
        if key not in after:
            yield f"{path}.{key} is gone:\n    - {_short(value)}"
    for key, value in after.items():
        if key not in before:
            yield f"{path}.{key} is new:\n    + {_short(value)}"
    if shared != [key for key in after if key in before]:
        yield f"{path}: the keys are in another order:\n    - {list(before)}\n    + {list(after)}"
    for key in shared:
        yield from differences(before[key], after[key], f"{path}.{key}")


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) < 600 else f"{text[:600]}... ({len(text)} characters)"


def compare(before: Path, after: Path) -> int:
    """Print the differences of two recordings, and return 1 if there are any."""
    old, new = (json.loads(path.read_text("utf-8")) for path in (before, after))
    count, differing = 0, 0
    for name in [*old, *(name for name in new if name not in old)]:
        if name not in old or name not in new:
            found = ["this case is " + ("new" if name in new else "gone")]
        else:
            found = list(differences(old[name], new[name]))
        if found:
            sys.stdout.write(f"== {name}\n" + "".join(f"  {told}\n" for told in found))
            count, differing = count + len(found), differing + 1
    told = f"{count} differences in {differing} of {len(old)} cases" if count else f"{len(old)} cases are equal"
    sys.stdout.write(f"{told}\n")
    return 1 if count else 0


def main() -> int:
    """Read this script's own command line."""
    parser = argparse.ArgumentParser(description="Record what facecli answers, and compare two recordings.")
    commands = parser.add_subparsers(dest="command", required=True)
    recording = commands.add_parser("record", help="run all cases and write what came of them")
    recording.add_argument("out", type=Path, metavar="OUT.json")
    beside = Path(sys.executable).parent / "facecli"
    recording.add_argument("--facecli", metavar="PATH", help="the command  [default: this Python's, else the PATH's]")
    recording.add_argument("--only", default="", metavar="WORDS", help="only the cases with these words in their names")
    comparing = commands.add_parser("compare", help="print the differences of two recordings")
    comparing.add_argument("before", type=Path, metavar="BEFORE.json")
    comparing.add_argument("after", type=Path, metavar="AFTER.json")
    given = parser.parse_args()
    if given.command == "compare":
        return compare(given.before, given.after)
    facecli = shutil.which(given.facecli or (str(beside) if beside.is_file() else "facecli"))
    if facecli is None:
        parser.error("there is no such command; name it with --facecli")
    record(given.out, str(Path(facecli).absolute()), given.only)
    return 0


if __name__ == "__main__":
    sys.exit(main())
