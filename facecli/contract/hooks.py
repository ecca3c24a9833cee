"""TODO: facecli.contract.hooks."""

from __future__ import annotations

import pluggy

API_VERSION = 1
hookimpl = pluggy.HookimplMarker("facecli")
