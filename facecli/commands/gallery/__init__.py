"""`facecli gallery`: who is in a gallery, and every change of it but enrolling."""

from facecli.cli.group import VerbGroup

command = VerbGroup(
    "gallery",
    (
        *("list", "show", "rename", "merge", "move", "reject", "ignore", "undo", "remove"),
        *("calibrate", "lookalikes", "migrate", "export", "import", "verify", "compact", "backup"),
    ),
    help="List, change and forget people; look after a gallery.",
)
