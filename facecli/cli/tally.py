"""The few lines on stderr about files that were anonymised."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from facecli.system.streams import print_error

if TYPE_CHECKING:
    from facecli.anonymise.analysis import Analysis
    from facecli.anonymise.result import Anonymised
    from facecli.cli.settings import OutputSettings

MOST_NAMES = 3  # that a line lists


class Tally:
    """The few lines on stderr that a run tells beside its results. failed: files with an error or a warning."""

    def __init__(self, output: OutputSettings) -> None:
        self._output, self.failed = output, 0
        self._left_out: Counter[str] = Counter()
        self._without: list[str] = []

    def counted(self, outcomes: Iterable[Anonymised], total: int) -> Iterator[Anonymised]:
        """Pass outcomes on, and print the error of each that failed."""
        from facecli.cli import progress

        for one in progress.reporting_errors(outcomes, self._output, total):
            self.failed += one.error is not None or one.warning is not None
            if one.warning is not None:
                print_error(f"{one.source} ended earlier than it says: was the recording cut off?")
            self._left_out.update(one.left_out)
            if one.faces == 0:
                self._without.append(one.source)
            yield one

    def tell(self) -> None:
        """Print what the copies lack, and in which files no face was found: look at these."""
        if self._left_out:
            print_error(f"left out: {', '.join(f'{what} ({count})' for what, count in self._left_out.items())}")
        if self._without:
            more = len(self._without) - MOST_NAMES
            names = ", ".join(self._without[:MOST_NAMES]) + (f" and {more} more" if more > 0 else "")
            print_error(f"no face was found in {names}; look whether there is one")


def warn_of_fewer(analyses: Iterable[Analysis], detector: Mapping[str, Any]) -> None:
    """Print a line if films were tracked with fewer faces than this run's detector, as described, would find."""
    own = detector["parameters"].get("score_threshold")
    origins = [one.origin for one in analyses if one.origin is not None]
    for words in sorted({one.left_out for one in origins} - {""}):
        print_error(f"faces are missing: --tracks leaves out {words}; track the film without")
    same = (one.min_score for one in origins if one.detector == detector["plugin"])
    scores = [score for score in same if score is not None]
    if own is not None and scores and max(scores) > own:
        hint = f"track the film with --min-score {own:g}"
        print_error(f"faces of doubtful score are missing: --tracks has those from {max(scores):g} on; {hint}")
