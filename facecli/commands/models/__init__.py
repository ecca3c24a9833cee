"""`facecli models`: what models there are, how to get them, and whether they are what they should be."""

from facecli.cli.group import VerbGroup

command = VerbGroup(
    "models",
    ("list", "info", "pull", "add", "path", "verify", "rm", "prune", "export-bundle", "import-bundle"),
    help="List, fetch, locate, verify and remove models.",
)
