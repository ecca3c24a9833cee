"""facecli: face detection, verification and attributes from the command line."""

__version__ = "0.1.0"
