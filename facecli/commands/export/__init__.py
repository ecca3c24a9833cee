"""`facecli export`: a recipe's networks, a module of the user's, or files for programs on edge devices."""

from facecli.commands.export.export import command as command
