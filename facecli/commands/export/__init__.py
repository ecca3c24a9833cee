"""`facecli export`: a recipe's networks, a module of the user's, or a bundle for an edge device."""

from facecli.commands.export.recipe import command as command
