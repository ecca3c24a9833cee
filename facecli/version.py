"""The version of facecli, in a module of its own: whoever needs it does not import the package's door."""

__version__ = "0.1.0"
