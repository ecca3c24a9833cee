from __future__ import annotations

import pytest

from facecli.system import strict_json


def test_json_is_read() -> None:
    assert strict_json.loads(b'{"a": [1, {"b": null}], "c": "a"}') == {"a": [1, {"b": None}], "c": "a"}


@pytest.mark.parametrize("text", ['{"a": 1, "b": 2, "a": 1}', '[{"b": {"a": 1, "a": 2}}]'])
def test_a_key_that_stands_twice_is_an_error(text: str) -> None:
    with pytest.raises(strict_json.DoubledKeyError, match="'a' stands there twice"):
        strict_json.loads(text)
