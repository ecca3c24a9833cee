"""Every error that facecli raises on purpose.

FacecliError
├── UsageError              the request itself makes no sense            exit 2
├── InputError              one input can not be used                    exit 1
│   ├── DecodeError         not a picture, damaged, or too large
│   ├── FetchError          a URL did not answer with a picture
│   ├── NoFaceError         a face is needed and none was found
│   └── AmbiguousFaceError  one face is needed and several were found
├── OutputError             a result could not be written                exit 1
├── PluginError             a plugin is missing, broken or ill-fitting   exit 2
│   └── ContractError       a plugin returned what the contract forbids  exit 1
├── ModelError              a model is unknown, absent or damaged        exit 4
├── DeviceError             the asked device does not run                exit 4
└── ExportError             an export failed or did not agree            exit 1
"""

from __future__ import annotations

from typing import ClassVar


class FacecliError(Exception):
    """An error with a message for people, a stable code for programs and a hint at what to do next."""

    code: ClassVar[str] = "error"
    exit_code: int = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def as_dict(self) -> dict[str, str | None]:
        """The error as it appears in JSON output."""
        return {"code": self.code, "message": self.message, "hint": self.hint}

    def __str__(self) -> str:
        return f"{self.message}; {self.hint}" if self.hint else self.message


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


class OutputError(FacecliError):
    """A result could not be written."""

    code = "output"


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


class DeviceError(FacecliError):
    """The device that was asked for does not run."""

    code = "device"
    exit_code = 4


class ExportError(FacecliError):
    """An export failed, or its result does not agree with the source."""

    code = "export"


def first_line(error: BaseException) -> str:
    """What somebody else's error says, in one line; the name of its class where it says nothing."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
