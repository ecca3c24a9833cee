"""A broken model of an attribute that facecli has, first in the alphabet."""

import no_such_package  # noqa: F401
