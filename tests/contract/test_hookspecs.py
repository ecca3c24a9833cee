"""The examples in the docstrings of the hooks are plugins that work: the kit passes them, or they run."""

from __future__ import annotations

import inspect
import textwrap
import types
from typing import Any

import click
import numpy as np
import pluggy
import pytest
from click.testing import CliRunner

from facecli.contract import ExportRecipe, hookspecs
from facecli.contract.plugin import DESCRIPTORS
from facecli.errors import ExportError
from facecli.testing import assert_conforms

HOOKS = sorted(name for name in vars(hookspecs) if name.startswith("facecli_"))


def example(hook: str) -> str:
    """The code behind "Example::" in a hook's docstring."""
    _, found, code = inspect.getdoc(getattr(hookspecs, hook)).partition("Example::\n")
    assert found, f"{hook} has no example"
    return textwrap.dedent(code)


def implemented(hook: str) -> pluggy.HookCaller:
    """What calls the hook of the example, loaded as a plugin's module is."""
    module = types.ModuleType(f"example_of_{hook}")
    exec(example(hook), vars(module))  # our own text
    manager = pluggy.PluginManager("facecli")
    manager.add_hookspecs(hookspecs)
    manager.register(module)
    manager.check_pending()
    caller = getattr(manager.hook, hook)
    assert len(caller.get_hookimpls()) == 1
    return caller


def descriptor(hook: str) -> Any:
    ((plugin,),) = [list(plugins) for plugins in implemented(hook)(name="")]
    return plugin


def test_every_hook_is_here() -> None:
    kinds = {"facecli_detectors", "facecli_recognizers", "facecli_attributes", "facecli_trackers"}
    assert set(HOOKS) == kinds | {"facecli_export_recipes", "facecli_engines", "facecli_commands"}


@pytest.mark.parametrize("kind", ["detectors", "recognizers", "attributes", "trackers"])
def test_the_example_conforms(kind: str) -> None:
    plugin = descriptor(f"facecli_{kind}")
    assert isinstance(plugin, DESCRIPTORS[kind])
    assert_conforms(plugin, kind)


def test_the_example_of_a_recipe_builds_its_network(torch, tmp_path) -> None:
    recipe = descriptor("facecli_export_recipes")
    assert isinstance(recipe, ExportRecipe)
    with pytest.raises(ExportError, match="needs its weights"):
        recipe.build(None)
    weights = tmp_path / "weights.pth"
    torch.save(torch.nn.Linear(4, 2).state_dict(), weights)
    (part,) = recipe.build(weights)
    (numbers,) = part.sample(3, 0)
    assert numbers.dtype == np.float32
    assert part.module(torch.from_numpy(numbers)).shape == (3, 2)


def test_the_example_of_a_command_runs() -> None:
    group = click.Group()
    implemented("facecli_commands")(group=group)
    assert CliRunner().invoke(group, ["example-hello"]).output == "hello\n"
