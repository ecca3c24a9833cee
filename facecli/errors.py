"""Every error that facecli raises on purpose, with the exit code of a command that it ends; plugins raise them, too.

FacecliError
├── UsageError              the request itself makes no sense            exit 2
├── InputError              one input can not be used                    exit 1
│   ├── DecodeError         not a picture, damaged, or too large
│   ├── FetchError          a URL did not answer with a picture
│   ├── NoFaceError         a face is needed and none was found
│   ├── AmbiguousFaceError  one face is needed and several were found
│   ├── DuplicateError      a face is enrolled under another name
│   ├── LowQualityError     a face can be seen less well than was asked for
│   ├── ConflictError       a face is nearer to somebody else than to whom it is said to be
│   ├── EnoughError         a person has as many templates as was allowed
│   └── CrashedError        a picture has ended the process that worked on it
├── OutputError             a result could not be written                exit 1
├── GalleryError            a gallery can not be used                    exit 1
├── PluginError             a plugin is missing, broken or ill-fitting   exit 2
│   └── ContractError       a plugin returned what the contract forbids  exit 1
├── ModelError              a model is unknown, absent or damaged        exit 4
│   └── AbsentModelError    a model has to be got first                  exit 4
├── DeviceError             the device asked for does not run            exit 4
└── ExportError             an export failed or did not agree            exit 1

Errors name settings, not options: Python spells a setting as a keyword argument, the command line as an option.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import ClassVar

from facecli.redaction import shortened, without_secrets

Wording = Callable[[str], str]  # the name of a setting -> its spelling where the error is shown


def keyword(setting: str) -> str:
    """Return the name of a setting as Python spells it: `max_pixels` is a keyword argument of that name.

    Only `debug` is none: where the command line has an option, Python has a debugger.
    """
    return "a debugger" if setting == "debug" else setting


class FacecliError(Exception):
    """An error with a message for people, a stable code for programs, and a hint at what to do next.

    message, hint: may name settings in braces, as in "raise {max_pixels}"; `text` spells them.
    about: the settings that are named so. Other braces, such as those of a file's name, stay as they are.
    code: the error's name in JSON. exit_code: of a command that it ends.
    further: the other inputs of the same call that failed, each with its name and its error.
    """

    code: ClassVar[str] = "error"
    exit_code: int = 1
    further: tuple[tuple[str, FacecliError], ...] = ()

    def __init__(self, message: str, *, hint: str | None = None, about: str | tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.about = (about,) if isinstance(about, str) else about
        self._message, self._hint = message, hint

    @property
    def message(self) -> str:
        """The failure and its place, with settings spelled as keyword arguments."""
        return self._spelled(self._message, keyword)

    @property
    def hint(self) -> str | None:
        """Advice on what to do next, or None, with settings spelled as keyword arguments."""
        return None if self._hint is None else self._spelled(self._hint, keyword)

    def text(self, wording: Wording = keyword) -> str:
        """Return message and hint in one line. wording: gives the spelling of a setting's name."""
        message = self._spelled(self._message, wording)
        joint = " " if message.endswith("?") else "; "
        return f"{message}{joint}{self._spelled(self._hint, wording)}" if self._hint else message

    def as_dict(self, wording: Wording = keyword) -> dict[str, str | None]:
        """Return the error as it appears in JSON output. wording: gives the spelling of a setting's name."""
        hint = None if self._hint is None else self._spelled(self._hint, wording)
        return {"code": self.code, "message": self._spelled(self._message, wording), "hint": hint}

    def _spelled(self, text: str, wording: Wording) -> str:
        """Return a text with its settings spelled, as it may be shown: what was typed or sent stands in it, too."""

        def spell(match: re.Match[str]) -> str:
            return wording(match[1]) if match[1] in self.about else match[0]

        shown = shortened(without_secrets(text))
        return re.sub(r"\{(\w+)\}", spell, shown) if self.about else shown

    def __str__(self) -> str:
        return self.text()


class UsageError(FacecliError):
    """The request itself makes no sense."""

    code = "usage"
    exit_code = 2


class InputError(FacecliError):
    """One input can not be used; the others can."""

    code = "input"


class DecodeError(InputError):
    """The bytes are not a picture, are damaged, or describe one that is too large."""

    code = "decode"


class FetchError(InputError):
    """A URL did not answer with a picture."""

    code = "fetch"


class NoFaceError(InputError):
    """A face is needed and none was found."""

    code = "no_face"


class AmbiguousFaceError(InputError):
    """One face is needed and several were found."""

    code = "ambiguous_face"


class DuplicateError(InputError):
    """The face of a picture is enrolled already, under another name."""

    code = "duplicate"


class LowQualityError(InputError):
    """The face of a picture can be seen less well than was asked for."""

    code = "low_quality"


class ConflictError(InputError):
    """The face of a picture is nearer to somebody else than to the person whom it is said to show."""

    code = "conflict"


class EnoughError(InputError):
    """The person of a picture has as many templates as was allowed."""

    code = "enough"


class CrashedError(InputError):
    """A picture has ended the process that worked on it, again and again."""

    code = "crashed"


class OutputError(FacecliError):
    """A result could not be written."""

    code = "output"


class GalleryError(FacecliError):
    """The file of a gallery is missing, damaged, locked, or no gallery."""

    code = "gallery"


class PluginError(FacecliError):
    """A plugin is missing, broken, or does not fit the others chosen."""

    code = "plugin"
    exit_code = 2


class ContractError(PluginError):
    """A plugin handed over something that the contract forbids."""

    code = "contract"
    exit_code = 1


class ModelError(FacecliError):
    """A model is unknown, not installed, or its file is damaged."""

    code = "model"
    exit_code = 4


class AbsentModelError(ModelError):
    """A model is not installed, and is not fetched unasked."""


class DeviceError(FacecliError):
    """The device that was asked for does not run."""

    code = "device"
    exit_code = 4


class ExportError(FacecliError):
    """An export failed, or its result does not agree with the source."""

    code = "export"


def first_line(error: BaseException) -> str:
    """Return the first line of the message of an error that is not facecli's, or its class if it has no message."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def class_and_first_line(error: BaseException) -> str:
    """Return an error that is not facecli's as "ValueError: first line of its message"."""
    name = type(error).__name__
    return f"{name}: {first_line(error)}" if str(error).strip() else name


class AlignmentWarning(UserWarning):
    """Faces are aligned by their boxes, because the detector gives no landmarks: answers are less sure."""
