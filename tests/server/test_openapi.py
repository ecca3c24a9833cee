"""The server does what its OpenAPI document says, whatever is sent: requests made from it by schemathesis."""

from __future__ import annotations

import subprocess
import sys

import pytest

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
    "ensure_resource_availability",
)


def test_no_request_of_schemathesis_breaks_the_description(start_server, tmp_path):
    pytest.importorskip("schemathesis", reason="needs schemathesis: `tox run -e schemathesis`")
    # A model that is not installed is 503, as the document says.
    (tmp_path / "schemathesis.toml").write_text(
        '[checks]\nnot_a_server_error.expected-statuses = ["2xx", "3xx", "4xx", "503"]\n'
    )
    server = start_server("--rate", "10000000", "--compat", "compreface,deepface")
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{server.address}/openapi.json"]
    command += ["--checks", ",".join(CHECKS), "--phases", "examples,coverage,fuzzing", "--max-examples", "5"]
    command += ["--seed", "1", "--suppress-health-check", "all", "--warnings", "off", "--request-timeout", "120"]
    command += ["--exclude-path", "/v1/import"]  # it knows no zip; test_hostile.py does
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stdout[-10_000:] + done.stderr[-2000:]
    assert "Traceback" not in server.errors.read_text()
