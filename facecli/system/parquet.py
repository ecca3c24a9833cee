"""Parquet files, where pyarrow is installed."""

from __future__ import annotations

from typing import Any

from facecli.errors import UsageError


def import_pyarrow(what: str = "writing .parquet") -> tuple[Any, Any]:
    """Return pyarrow and its parquet module. what: needs them. Raises UsageError if pyarrow is not installed."""
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise UsageError(f"{what} needs pyarrow", hint='pip install "facecli[parquet]"') from error
    return pa, parquet
