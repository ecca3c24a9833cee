"""The door for Python: `facecli.Faces` and the values that it returns. The command line goes through it, too."""
