"""facecli: face detection, verification and attributes from the command line."""

from facecli.version import __version__ as __version__
