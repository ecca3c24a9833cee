from __future__ import annotations

import pytest

from facecli.errors import UsageError
from facecli.gallery import names


def test_names_are_kept_as_typed_and_compared_without_case():
    assert names.clean("  Ada   Lovelace ") == "Ada Lovelace"
    assert names.clean("Ada\u00a0\u3000Lovelace") == "Ada Lovelace"  # blanks of other kinds
    assert names.clean("Zoe\u0308") == "Zo\u00eb"
    assert names.key("ADA lovelace") == names.key("Ada  Lovelace")
    assert names.key("Zoe\u0308") == names.key("ZO\u00cb")
    assert names.key("Straße") == names.key("STRASSE")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "x" * 201,
        "a\x00b",
        "a\x1b[31m",
        "\udcff",
        "Ada\n",
        "\tAda",
        "Ada\rB",
        "a\u2028b",
        "a\u202eb",
        "a\x85b",
    ],
)
def test_texts_that_are_no_names(text):
    with pytest.raises(UsageError, match="a person's name"):
        names.clean(text)


def test_nearest():
    assert names.nearest("Ada Lovelase", ["Grace Hopper", "Ada Lovelace"]) == ["Ada Lovelace"]


def test_list_of_names():
    known = ["Lovelace, Ada", "Grace", "Emmy"]
    assert names.listed(["Grace,emmy", " Joan "], known) == ["Grace", "emmy", " Joan "]
    assert names.listed(["lovelace, ADA", "Grace"], known) == ["lovelace, ADA", "Grace"]
    assert names.listed(["Grace," * 100], known) == ["Grace"] * 100
    with pytest.raises(UsageError, match="no name is given"):
        names.listed([" , ", ""], known)
