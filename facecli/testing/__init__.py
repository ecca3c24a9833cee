"""The conformance kit: does a plugin keep the contract? For plugin authors' tests and `facecli plugins check`.

In a test, after installing the distribution (editable is enough)::

    from facecli.testing import check_detector

    def test_my_detector() -> None:
        check_detector("my-detector")
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
