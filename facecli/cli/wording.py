"""How the command line spells a setting that an error names: `max_pixels` is `--max-pixels`."""

from __future__ import annotations


def option(setting: str) -> str:
    """Return the option for a setting; tests/test_architecture.py holds that each of them exists."""
    return f"--{setting.replace('_', '-')}"
