"""Errors of ONNX Runtime about a file that it does not load or run, in words for its user.

Its own messages name places in its source, signatures of C++ and temporary folders; those below are those of
version 1.31. What is not known here is passed on, cleaned and cut.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from facecli.errors import class_and_first_line, first_line

LONGEST = 200  # characters of a message that is passed on
NEWER = "update onnxruntime, or export it for an older one"
STANDARD = "export it with ONNX's standard operators alone"


@dataclass(frozen=True, slots=True)
class Reason:
    """The reason of a failure in one clause, and what to do about it, None if that is not known."""

    text: str
    hint: str | None = None


class _Known(NamedTuple):
    """A message of ONNX Runtime's by its pattern, and our words for it; {0} is the pattern's first group."""

    pattern: str
    text: str
    hint: str | None = None


_KNOWN = (
    _Known(
        r'External data path does not exist: "?(?:[^"]*/)?([^"/]+)',
        "its weights lie in {0}, which is not beside it",
        "put {0} there",
    ),
    _Known(r"External data", "its weights lie in another file", "join them: onnx.save(onnx.load(FILE), FILE)"),
    _Known(
        r"Protobuf parsing failed|No graph was found in the protobuf",
        "it is no ONNX model, or a part of one",
        "copy or fetch it again",
    ),
    _Known(
        r"Unsupported model IR version: (\d+), max supported IR version: (\d+)",
        "it is of ONNX's IR version {0}, this onnxruntime reads up to {1}",
        NEWER,
    ),
    _Known(
        r"Opset (\d+) is under development.*till opset (\d+)",
        "it uses ONNX's operator set {0}, this onnxruntime has up to {1}",
        NEWER,
    ),
    _Known(r"Fatal error: (\S+?)\(-?\d+\) is not a registered", "ONNX Runtime has no operator {0}", STANDARD),
    _Known(r"No Op registered for (\S+)", "ONNX Runtime has no operator {0}", STANDARD),
    _Known(
        r"Could not find an implementation for (\w+)\((\d+)\)",
        "this onnxruntime can not run its operator {0} of set {1}",
        NEWER,
    ),
    _Known(r"graph is not acyclic", "its graph runs in a circle", "export it again"),
    _Known(r"Node input '(.*?)' is not a graph input", "a node reads {0}, which nothing makes", "export it again"),
    _Known(
        r"Node \((.*?)\) Op \((\w+)\) \[(?:Shape|Type)InferenceError\]\s*(.*)",
        "the shapes at its {1} {0} do not fit: {2}",
        "export it again",
    ),
    _Known(r"Required inputs \(\[(.*?)\]\) are missing", "it wants further inputs: {0}"),
    _Known(
        r"Unexpected input data type\. Actual: \(tensor\((\w+)\)\) , expected: \(tensor\((\w+)\)\)",
        "its input must be {1}, not {0}",
    ),
    _Known(
        r"Got invalid dimensions for input: (\S+).*?index: (\d+) Got: (\d+) Expected: (\d+)",
        "axis {1} of its input {0} must be {3} long, not {2}",
    ),
    _Known(r"Invalid rank for input: (\S+) Got: (\d+) Expected: (\d+)", "its input {0} must have {2} axes, not {1}"),
    _Known(
        r"running (\w+) node\. Name:'(.*?)' Status Message: (?:.*was false\. )?(.*)", "its node {1} ({0}) fails: {2}"
    ),
)
# A place in ONNX Runtime's source, and the signature of the function there.
_SOURCE = re.compile(r"(?:/?[\w./-]+/)?[\w.-]+\.(?:cc|h|hpp|cpp|cu):\d+ .*?(?:\) (?=\S)|(?=External data))")
_BEGINNING = re.compile(r"^\[ONNXRuntimeError\] : \d+ : \w+ : |Load model from .*? failed:")
_FOLDERS = re.compile(r"(?<![\w/])/(?:[^\s\"':/]+/)+")


def reason_of(error: BaseException) -> Reason:
    """Return the reason for an error of ONNX Runtime or of the loader of shared libraries."""
    text = " ".join(str(error).split())
    for known in _KNOWN:
        if match := re.search(known.pattern, text):
            groups = tuple(map(_clean, match.groups("")))
            return Reason(_tidy(known.text.format(*groups)), known.hint and known.hint.format(*groups))
    return Reason(_tidy(_clean(text) or first_line(error)))


def told(error: BaseException) -> str:
    """Return an error of a plugin's or a network's code in one clause: ONNX Runtime's in our words, others by class."""
    ours = type(error).__module__.startswith("onnxruntime")
    return reason_of(error).text if ours else class_and_first_line(error)


def _clean(text: str) -> str:
    """Leave out of a message what is of use to ONNX Runtime's developers alone."""
    return _FOLDERS.sub("", _SOURCE.sub("", _BEGINNING.sub("", text)))


def _tidy(text: str) -> str:
    text = " ".join(text.split()).rstrip(". ")
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."
