"""The version of the plugin contract, and the decorator that marks a plugin's hooks."""

from __future__ import annotations

import pluggy

API_VERSION = 1  # goes into each descriptor; facecli refuses a plugin of another version
hookimpl = pluggy.HookimplMarker("facecli")
