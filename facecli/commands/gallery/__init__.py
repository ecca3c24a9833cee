"""`facecli gallery`: who is in a gallery, and every change of it but enrolling."""

from facecli.cli.group import VerbGroup

command = VerbGroup("gallery", ("list", "show", "rename", "remove"), help="List, rename and remove people.")
