"""A verification for people and programs: the document of `facecli verify`, its table rows, and the drawn answer."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facecli.hosting.toolbox import Toolbox
from facecli.matching.verification import RecognizerDecision, Verification
from facecli.output import records
from facecli.output.records import SCORE_DIGITS, Record

if TYPE_CHECKING:  # few verifications need it: a cold start is spared the import
    from facecli.matching.anti_spoof import AntiSpoof

DIGITS = 6  # of distances and similarities
COLUMNS = ("verified", "metric", "distance", "threshold")  # of each decision in a row
REAL = ("real_a", "real_b")  # probabilities of the two faces that they are real


def document(verification: Verification, tools: Toolbox, extra: Mapping[str, Any] | None = None) -> Record:
    """Return the document of a verification, without the time that it took.

    tools: the plugins that decided. They are described as they run, so this waits until they are loaded. extra: further
    parts, such as the name of a preset; they stand before the pictures.
    """
    plugins = {plugin.name: plugin for plugin in tools.recognizer_plugins}
    decisions = [
        _decision(decision) | {"recognizer": tools.describe(plugins[decision.recognizer])}
        for decision in verification.decisions
    ]
    several = len(decisions) > 1
    return records.header(
        "verify",
        **_decision(verification),
        detector=records.described(tools, tools.detector_plugin),
        recognizer=None if several else decisions[0]["recognizer"],
        **({"decisions": decisions} if several else {}),
        **(extra or {}),
        images=list(map(records.chosen, verification.results, verification.rows)),
        **_anti_spoof(verification, tools),
    )


def rows(verification: Verification) -> list[Record]:
    """Return the rows of a table or CSV: one, or of several recognizers one of each and then one for all together."""
    sources = {name: result.source for name, result in zip("ab", verification.results, strict=True)}
    last: Record = {"detected": all(result.detected for result in verification.results)}
    if verification.anti_spoof is not None:
        last |= real(verification.anti_spoof)
    together = sources | _columns(verification) | last
    if len(verification.decisions) == 1:
        return [together]
    each = [sources | {"recognizer": one.recognizer} | _columns(one) | last for one in verification.decisions]
    return [*each, sources | {"recognizer": "all"} | together]


def sentences(verification: Verification) -> list[tuple[str, bool | None]]:
    """Return the answer in words, for people: a line of each of several recognizers, and one of all that decides.

    With each line stands whether it is good news: True for the same person.
    """
    said: list[tuple[str, bool | None]] = []
    if not all(result.detector_ran for result in verification.results):
        said.append(("the pictures were taken as faces, and no detector looked at them", None))
    check = verification.anti_spoof
    if check is not None:
        scores = " and ".join(f"{score:.2f}" for score in check.scores)
        text = f"{'real faces' if check.passed else 'not both real faces'}: {scores}, least {check.threshold:.2f}"
        said.append((text, None if check.passed else False))
    if len(verification.decisions) > 1:
        said += [(f"{one.recognizer}: {_sentence(one)}", None) for one in verification.decisions]
    return [*said, (_sentence(verification), verification.verified)]


def _sentence(decision: Verification | RecognizerDecision) -> str:
    answer = "same person" if decision.margin >= 0 else "different people"
    # As many decimals as it takes to see which of the two is less.
    numbers_at = ((d, f"{decision.distance:.{d}f}", f"{decision.threshold:.{d}f}") for d in (2, 3, 4))
    digits = next((d for d, distance, threshold in numbers_at if distance != threshold), DIGITS)
    numbers = f"distance {decision.distance:.{digits}f}, threshold {decision.threshold:.{digits}f}"
    return f"{answer}: {numbers} ({decision.metric})"


def draw(path: Path, verification: Verification) -> None:
    """Write a picture of both faces under the answer. Raises OutputError where the file system refuses.

    The results of the verification must have kept their images.
    """
    from facecli.output import drawing  # few verifications are drawn: a cold start is spared the import
    from facecli.pictures import codec
    from facecli.system.files import write_bytes

    same, pairs = verification.verified, zip(verification.results, verification.rows, strict=True)
    panels = [drawing.face_of(result, row, same=same) for result, row in pairs]
    distance = round(verification.distance, DIGITS)
    picture = drawing.verdict(panels, same, verification.metric, distance, verification.threshold)
    write_bytes(path, codec.encode(picture, path.suffix), parents=False)


def verdict(decision: Verification | RecognizerDecision) -> Record:
    """Return the part of a decision that differs from pair to pair: verified, distance and similarity."""
    similarity = None if decision.similarity is None else round(decision.similarity, DIGITS)
    return {"verified": decision.verified, "distance": round(decision.distance, DIGITS), "similarity": similarity}


def real(check: AntiSpoof) -> Record:
    """Return the probability of each of two faces that it is real, by the names of REAL."""
    return {name: round(score, SCORE_DIGITS) for name, score in zip(REAL, check.scores, strict=True)}


def _decision(decision: Verification | RecognizerDecision) -> Record:
    changing = verdict(decision)
    return {
        "verified": changing.pop("verified"),
        "metric": decision.metric,
        **changing,
        "threshold": decision.threshold,
        "threshold_source": decision.threshold_source,
        "fmr": decision.fmr,
        "fmr_worst_group": decision.fmr_worst_group,
        **records.cohort(decision.cohort),
    }


def _columns(decision: Verification | RecognizerDecision) -> Record:
    record = _decision(decision)
    return {column: record[column] for column in COLUMNS}


def _anti_spoof(verification: Verification, tools: Toolbox) -> dict[str, Any]:
    check = verification.anti_spoof
    if check is None:
        return {}
    from facecli.matching.anti_spoof import ATTRIBUTE

    plugin = next(plugin for plugin in tools.attribute_plugins if plugin.attribute == ATTRIBUTE)
    return {"anti_spoof": {"passed": check.passed, "threshold": check.threshold, **tools.describe(plugin)}}
