"""The command line of a training: `python -m facecli.models.training.TASK`, with options of its own."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch

from facecli.errors import FacecliError
from facecli.models.training import recipe
from facecli.models.training.run import RunOptions, Task, run


def main(task: Task, arguments: Sequence[str] | None = None) -> int:
    """Train, or go on where an earlier run ended; return the exit code, one of facecli's.

    arguments: words of the command line; None: this process's.
    """
    namespace = _parser(task).parse_args(arguments)
    torch.set_num_threads(max(namespace.threads, 1))
    options = RunOptions(namespace.device, namespace.start, namespace.compile, not namespace.as_it_is)
    try:
        result = run(task, recipe.read(namespace.config), namespace.data, namespace.out, options)
    except FacecliError as error:
        options.report(str(error))
        return error.exit_code
    print(f"wrote {result}")  # noqa: T201 # the result, on stdout
    return 0


def _parser(task: Task) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"python -m facecli.models.training.{task.name}",
        description=f"Trains a network for {task.name}, or goes on where an earlier run ended.",
    )
    default = f"[default: {task.recipe.name} beside this module]" if task.recipe else ""
    parser.add_argument("--data", type=Path, required=True, help=task.data)
    parser.add_argument("--out", type=Path, required=True, help="folder of checkpoints, logs and the result")
    parser.add_argument("--config", type=Path, required=not task.recipe, default=task.recipe, help=f"recipe  {default}")
    parser.add_argument(
        "--from", dest="start", type=Path, help="earlier run to begin with, if not the recipe's `after`"
    )
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="threads of PyTorch")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="where PyTorch computes")
    parser.add_argument("--compile", action="store_true", help="through torch.compile: faster; needs a C++ compiler")
    parser.add_argument("--as-it-is", action="store_true", help="learn no more: write what the checkpoint has")
    return parser
