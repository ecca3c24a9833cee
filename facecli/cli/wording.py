"""The spelling of settings in errors on the command line: `max_pixels` is `--max-pixels`, `home` is FACECLI_HOME.

A setting that a variable has given to the running command is that variable: nobody has typed the option.
"""

from __future__ import annotations

# Settings whose option has another name.
OTHERWISE = {"parameters": "-p"}
# Settings that are environment variables, because no command has an option for them.
VARIABLES = {"home": "FACECLI_HOME", "mirror": "FACECLI_MODELS_MIRROR"}

_given: dict[str, str] = {}  # setting of the running command -> the variable that gave it


def note_variables(given: dict[str, str]) -> None:
    """Remember the settings that variables gave to the command that begins, as setting -> variable."""
    _given.clear()
    _given.update(given)


def option(setting: str) -> str:
    """Return the option or the environment variable for a setting; tests/test_architecture.py holds that it exists."""
    return _given.get(setting) or OTHERWISE.get(setting) or VARIABLES.get(setting) or f"--{setting.replace('_', '-')}"
