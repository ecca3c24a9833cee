"""Error rates within groups of people, and from them a recognizer's operating point, as TOML for the catalogue.

FairFace's validation faces, but for a few, are of different people, and their comparisons non-mated; those within one
group (race of seven and gender, adults from 20) tell how often a recognizer takes people of that group for each other.
Children and teenagers are told apart. LFW, whose pictures are called PERSON_NUMBER.jpg, gives the mated comparisons,
and non-mated ones of celebrities.

The rule: the threshold for a rate is the largest at which the FMR on LFW and the mean over the groups keep to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import common
import group_faces
import numpy as np
from numpy.typing import NDArray

from facecli.contract import Metric, RecognizerPlugin
from facecli.evaluation.groups import Differential, differential
from facecli.evaluation.rates import Rate
from facecli.evaluation.strangers import compare
from facecli.hosting.choice import DETECTOR, RECOGNIZER
from facecli.kinds import METRICS
from facecli.types import FloatArray

RECOGNIZERS = ("sface", "dlib-resnet", "mobilefacenet")
RATES = (1e-2, 1e-3, 1e-4)
ADULTS = ("20-29", "30-39", "40-49", "50-59", "60-69", "more than 70")
AGES = {"": ADULTS, "children 0 to 9": ("0-2", "3-9"), "10 to 19": ("10-19",)}
# The bars of the default recognizer: mean over groups, worst group, worst over best, missed on LFW.
BARS = {"mean": 0.01, "worst": 0.025, "ratio": 4.0, "missed": 0.025}

Distances = NDArray[np.float64]


@dataclass(frozen=True)
class Data:
    """The distances of one recognizer in one metric, ascending. groups: name -> those within a group of adults.

    younger: age -> group -> the same of children and teenagers.
    """

    mated: Distances
    celebrities: Distances
    groups: Mapping[str, Distances]
    younger: Mapping[str, Mapping[str, Distances]]

    def at(self, rate: float) -> float:
        """The largest threshold that keeps a rate by the rule, rounded down."""
        few = min(at(self.celebrities, rate), at_mean(list(self.groups.values()), rate))
        return float(np.floor(few * 1e4) / 1e4)

    def fmr(self, threshold: float) -> float:
        """The FMR by the rule: the higher of LFW's and the mean over the groups."""
        return max(_share(self.celebrities, threshold), self.spread(threshold).mean)

    def fnmr(self, threshold: float) -> float:
        return 1 - _share(self.mated, threshold)

    def spread(self, threshold: float) -> Differential:
        found = differential({name: _share(own, threshold) for name, own in self.groups.items()})
        assert found is not None
        return found


def main() -> None:
    options = common.parser(__doc__)
    data = common.SHARED / "data"
    options.add_argument("--recognizer", action="append", help=f"default: {', '.join(RECOGNIZERS)}")
    options.add_argument("--detector", default=DETECTOR)
    options.add_argument("--fairface", type=Path, default=data / "fairface.zip", help="folder or zip")
    options.add_argument("--lfw", type=Path, default=data / "lfw_dev.zip", help="folder or zip")
    options.add_argument("--cache", type=Path, help="folder that keeps embeddings for the next run")
    given = options.parse_args()
    tools = group_faces.toolbox(given.detector, given.recognizer or list(RECOGNIZERS))
    faces = group_faces.embedded(tools, given.fairface, "val/*", given.cache)
    celebrities = group_faces.embedded(tools, given.lfw, "**/*.jpg", given.cache)
    labels = group_faces.labels(given.fairface)
    figures = []
    for plugin in tools.recognizer_plugins:
        by_metric = {metric: _data(plugin, metric, faces, labels, celebrities) for metric in METRICS}
        if not given.json:
            print("\n".join(_page(plugin, by_metric, given.detector)), end="\n\n")
        metric = plugin.operating_point.metric
        figures += _figures(plugin.name, by_metric[metric], f"{metric} {by_metric[metric].at(RATES[0]):g}")
    common.tell(figures, as_json=given.json)


def _page(plugin: RecognizerPlugin, by_metric: Mapping[Metric, Data], detector: str) -> Iterator[str]:
    """Yield what there is to copy: the catalogue's points, and the tables for cards and documentation."""
    point, theirs = plugin.operating_point, plugin.publisher_point
    data = by_metric[point.metric]
    threshold, columns = data.at(RATES[0]), {"ours": data.at(RATES[0])}
    yield from (f"## {plugin.name}, {detector}", "", "[operating_point]", *_point(by_metric, point.metric, threshold))
    points = [(rate, data.at(rate)) for rate in RATES]
    worst = (f"[{rate:g}, {data.spread(value).highest:.2g}]" for rate, value in points)
    yield f"by_fmr = [{', '.join(f'[{rate:g}, {value:g}]' for rate, value in points)}]"
    yield f"worst_by_fmr = [{', '.join(worst)}]"
    if theirs is not None:
        yield from ("", "[publisher_point]", *_point(by_metric, theirs.metric, theirs.threshold))
        columns |= {"publisher": theirs.threshold} if theirs.metric == point.metric else {}
    yield from ("", *_table(data, columns), "")
    yield "| at an FMR of | threshold | missed on LFW | worst group | worst / best | FMR on LFW |"
    yield "|---|---|---|---|---|---|"
    for rate, value in points:
        spread = data.spread(value)
        ratio = "-" if spread.worst_over_best is None else f"{spread.worst_over_best:.1f}"
        missed, lfw = f"{data.fnmr(value):.2%}", f"{_share(data.celebrities, value):.3%}"
        yield f"| {rate:.2%} | {value:g} | {missed} | {spread.highest:.2%}, {spread.worst} | {ratio} | {lfw} |"


def _point(by_metric: Mapping[Metric, Data], metric: Metric, threshold: float) -> Iterator[str]:
    """Yield the lines of an operating point, as TOML, that were measured."""
    data = by_metric[metric]
    spread, fmr = data.spread(threshold), data.fmr(threshold)
    others = {other: own.at(fmr) for other, own in by_metric.items() if other != metric}
    yield f'metric = "{metric}"'
    yield f"threshold = {threshold:g}"
    yield f"# {sum(map(len, data.groups.values()))} comparisons within {len(data.groups)} groups of adults"
    yield f"# {len(data.celebrities)} non-mated and {len(data.mated)} mated comparisons of LFW"
    yield f"fmr = {fmr:.2g}\nfnmr = {data.fnmr(threshold):.2g}"
    yield f'worst_group = "{spread.worst}"\nfmr_worst_group = {spread.highest:.2g}'
    yield f"equivalents = {{ {', '.join(f'{other} = {value:g}' for other, value in others.items())} }}"


def _table(data: Data, thresholds: Mapping[str, float]) -> Iterator[str]:
    """Yield the lines of a table of every group: its FMR at each threshold, with the 95 % interval at the first."""
    first = next(iter(thresholds.values()))
    heads = [f"FMR at {value:g} ({name})" for name, value in thresholds.items()]
    yield f"| group | comparisons | {' | '.join(heads)} | 95 % at {first:g} |"
    yield f"|---|---|{'---|' * (len(heads) + 1)}"
    ordered = sorted(data.groups, key=lambda name: -_share(data.groups[name], first))
    rows = [(name, [data.groups[name]]) for name in ordered]
    rows.append(("**mean of the groups**", list(data.groups.values())))
    rows += [(f"{age}, mean of their groups", [*groups.values()]) for age, groups in data.younger.items()]
    rows.append(("LFW, celebrities", [data.celebrities]))
    for name, parts in rows:
        shares = [np.mean([_share(part, value) for part in parts]) for value in thresholds.values()]
        low, high = Rate(int((parts[0] <= first).sum()), len(parts[0])).interval
        interval = f"{low:.2%} to {high:.2%}" if len(parts) == 1 else ""
        yield f"| {name} | {sum(map(len, parts))} | {' | '.join(f'{share:.2%}' for share in shares)} | {interval} |"


def _figures(name: str, data: Data, rule: str) -> list[common.Figure]:
    """Return the figures at the point; those of the default recognizer have bars."""
    threshold, bars = data.at(RATES[0]), BARS if name == RECOGNIZER else {}
    spread = data.spread(threshold)
    told = {
        f"mean FMR of {len(data.groups)} groups": (spread.mean, "{:.2%}", bars.get("mean")),
        f"FMR of the worst group, {spread.worst}": (spread.highest, "{:.2%}", bars.get("worst")),
        f"worst / best, {spread.best}": (spread.worst_over_best or np.inf, "{:.2f}", bars.get("ratio")),
        "worst / geometric mean (NISTIR 8429)": (spread.worst_over_geometric_mean or np.inf, "{:.2f}", None),
        "FNMR on LFW": (data.fnmr(threshold), "{:.2%}", bars.get("missed")),
    }
    return [common.figure(f"{name} at {rule}: {what}", *figure[:2], most=figure[2]) for what, figure in told.items()]


def at(non_mated: Distances, rate: float) -> float:
    """The largest threshold with at most this FMR, of distances in ascending order."""
    return float(non_mated[max(0, int(rate * len(non_mated) + 1e-6) - 1)])


def at_mean(groups: Sequence[Distances], rate: float) -> float:
    """The largest threshold at which the mean of the groups' FMRs is at most `rate`."""
    distances = np.concatenate(groups)
    weights = np.concatenate([np.full(len(own), 1 / len(own) / len(groups)) for own in groups])
    order = np.argsort(distances, kind="stable")
    place = int(np.searchsorted(np.cumsum(weights[order]), rate + 1e-12, "right")) - 1
    return float(distances[order][max(place, 0)])


def all_comparisons(rows: FloatArray, people: NDArray[np.str_], metric: Metric) -> tuple[Distances, Distances]:
    """Distances of all pairs of (N, dim) rows, ascending: those of the same person, and the others."""
    mated, non_mated = [], []
    for a, b, distances in compare(rows[:, None], metric):
        same = people[a] == people[b]
        mated.append(distances[same])
        non_mated.append(distances[~same])
    return np.sort(np.concatenate(mated)), np.sort(np.concatenate(non_mated))


def _share(distances: Distances, threshold: float) -> float:
    return float(np.searchsorted(distances, threshold, "right") / len(distances))


def _data(
    plugin: RecognizerPlugin,
    metric: Metric,
    faces: Mapping[str, Mapping[str, FloatArray]],
    labels: Mapping[str, Mapping[str, str]],
    celebrities: Mapping[str, Mapping[str, FloatArray]],
) -> Data:
    lfw, fairface = celebrities[plugin.name], faces[plugin.name]
    people = np.array([Path(name).stem.rpartition("_")[0] for name in lfw])
    mated, non_mated = all_comparisons(np.stack(list(lfw.values())), people, metric)
    by_age = {age: _groups(fairface, labels, bins, metric) for age, bins in AGES.items()}
    return Data(mated, non_mated, by_age.pop(""), by_age)


def _groups(
    faces: Mapping[str, FloatArray], labels: Mapping[str, Mapping[str, str]], ages: Sequence[str], metric: Metric
) -> dict[str, Distances]:
    """The distances within each group of people of these ages, ascending."""
    members: dict[str, list[FloatArray]] = {}
    for name, label in labels.items():
        if label["age"] in ages and name in faces:
            group = f"{label['race'].replace('_', ' or ')}, {label['gender']}"
            members.setdefault(group, []).append(faces[name][None])
    return {
        group: np.sort(np.concatenate([distances for _, _, distances in compare(rows, metric)]))
        for group, rows in sorted(members.items())
        if len(rows) > 1
    }


if __name__ == "__main__":
    main()
