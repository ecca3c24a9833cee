"""`facecli plugins`: what is installed, what is broken and whose fault it is."""

from facecli.cli.group import VerbGroup

command = VerbGroup("plugins", ("check", "info", "list"), help="List, explain and check plugins.")
