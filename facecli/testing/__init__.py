"""The conformance kit: does a plugin keep the contract? For plugin authors' tests and `facecli plugins check`.

In a test, after installing the distribution (editable is enough)::

    from facecli.testing import check_detector

    def test_my_detector() -> None:
        check_detector("my-detector")

The checks, by name:

descriptor   its fields make sense: API number, name, crop template, labels, operating point
import       importing the module and calling the hook imports nothing heavy and prints nothing
load         the model loads
empty batch  no pictures, or N = 0 crops, give an answer of no rows
output       shapes, dtypes, ranges, order and landmarks as stated, on 1 px, thin, grey, black, noise and a drawn face
repeat       the same input gives the same answer twice, and the next call does not overwrite it
batch        an input's answer does not depend on the others in its batch
threads      two threads that share the model get what one gets
inputs       the pixels given are left as they are
blank        a detector finds no face in plain grey
face         a detector finds one in the picture given
length       embeddings have length 1 if, and only if, `normalized` says so
stdout       nothing was written to it, by Python or by native code
"""

from facecli.testing.kit import (
    CheckResult,
    ConformanceError,
    assert_conforms,
    check_attribute,
    check_detector,
    check_recognizer,
    run_checks,
)

__all__ = [
    "CheckResult",
    "ConformanceError",
    "assert_conforms",
    "check_attribute",
    "check_detector",
    "check_recognizer",
    "run_checks",
]
