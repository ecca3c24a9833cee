"""The conformance kit checks that a plugin keeps the contract: in its authors' tests, and in `facecli plugins check`.

In a test, after installing the distribution (editable is enough)::

    from facecli.testing import check_detector

    def test_my_detector() -> None:
        check_detector("my-detector")

The checks, by name:

descriptor   its fields make sense and its models do not contradict it: API version, name, crop, labels, threshold
import       importing the module and calling the hook imports nothing heavy and prints nothing
files        model files in the package have the sha256 and the size that are stated
load         the model loads, and its file takes the crops that its ModelSpec states
empty batch  no pictures give [], and N = 0 crops give an array of 0 rows
output       shapes, dtypes, ranges, order and landmarks are right, on 1 px, thin, grey, black, noise and a drawn face
repeat       an input gives an equal answer twice, and the next call does not overwrite the first answer
batch        an input's answer does not depend on the others in its batch
threads      two threads that share the model get the answers that one thread gets
inputs       the pixels that the plugin gets are left unchanged
preprocessing  a model is fed the numbers that its ModelSpec's crop and preprocessing make
difference   not every crop has the same answer
blank        a detector finds no face in plain grey
face         a detector finds a face in the picture that the caller brings
length       embeddings have length 1 if, and only if, `normalized` is True
frames       a tracker names each detection of a frame once, in films of no face, one face, a crowd, leaps and long gaps
endings      an id that has ended never comes back
films        two films that are tracked at once do not see each other
stdout       nothing was written to it, by Python or by native code

Of an engine, by `check_engine`, with shards of no pictures on two workers:

nothing      no shards give no reports
reports      each shard is worked on, and has the one report that its worker gave
ahead        shards are taken when a worker is free, not all at once
error        what a worker raises ends the run, as it is
death        a worker that dies loses its own shard alone
"""

from facecli.testing.engines import check_engine, run_engine_checks
from facecli.testing.kit import (
    CheckResult,
    ConformanceError,
    assert_conforms,
    check_attribute,
    check_detector,
    check_recognizer,
    check_tracker,
    run_checks,
)

__all__ = [
    "CheckResult",
    "ConformanceError",
    "assert_conforms",
    "check_attribute",
    "check_detector",
    "check_engine",
    "check_recognizer",
    "check_tracker",
    "run_checks",
    "run_engine_checks",
]
