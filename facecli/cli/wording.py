"""The spelling of settings in errors on the command line: `max_pixels` is `--max-pixels`, `home` is FACECLI_HOME."""

from __future__ import annotations

# Settings whose option has another name.
OTHERWISE = {"parameters": "-p"}
# Settings that are environment variables, because no command has an option for them.
VARIABLES = {"home": "FACECLI_HOME", "mirror": "FACECLI_MODELS_MIRROR"}


def option(setting: str) -> str:
    """Return the option or the environment variable for a setting; tests/test_architecture.py holds that it exists."""
    return OTHERWISE.get(setting) or VARIABLES.get(setting) or f"--{setting.replace('_', '-')}"
