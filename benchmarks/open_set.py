"""Measures how a gallery decides about strangers, by `python benchmarks/open_set.py FACES.npz`.

FACES.npz is what `facecli embed lfw/ --face center -o FACES.npz` writes; the person is the picture's name without its
last number, as in LFW. Of the people with three pictures or more, four fifths are enrolled with three pictures each,
twenty times, each time others; their other pictures are searches for somebody, and all pictures of everybody else are
of strangers. It prints the FPIR and FNIR at the thresholds that a gallery measures by leaving one person out, and how
near the second person comes where two are within the threshold. The last figure is the FNIR at an FPIR of 1 % of those
who have six pictures or more, enrolled with five, as `facecli evaluate-identification --templates 5` measures it.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from pathlib import Path

import common
import numpy as np

from facecli.evaluation.identification import Person, Plan, evaluate
from facecli.gallery.calibration import leave_one_out
from facecli.gallery.index import SCORES, Index
from facecli.gallery.store.records import Templates

EACH, SPLITS, MANY = 3, 20, 5
RATES = (0.1, 0.03, 0.01)


def main(path: Path) -> None:
    with np.load(path, allow_pickle=False) as file:
        rows, sources = file["embedding"], file["source"].tolist()
    by_person = defaultdict(list)
    for row, source in enumerate(sources):
        by_person[re.sub(r"_?\d+$", "", Path(source).stem)].append(row)
    several = sorted(name for name, own in by_person.items() if len(own) >= EACH)
    print(f"{len(rows)} faces of {len(by_person)} people, {len(several)} of them with {EACH} or more")
    for score in SCORES:
        figures = [split(rows, by_person, several, score, seed) for seed in range(SPLITS)]
        for number, rate in enumerate(RATES):
            fpir, fnir = (np.array([figure[number][part] for figure in figures]) for part in (0, 1))
            print(f"{score:9} wanted {rate:6.2%}: FPIR {fpir.mean():6.2%} +- {fpir.std():.2%}, FNIR {fnir.mean():6.2%}")
        margins = {kind: np.concatenate([figure[-1][kind] for figure in figures]) for kind in ("right", "wrong")}
        for kind, values in margins.items():
            shares = ", ".join(f"{limit:.0%}: {(values < limit).sum()}" for limit in (0.02, 0.05, 0.1, 0.2))
            print(
                f"{score:9} two within the threshold, the first is {kind}: {len(values)}; margin below {shares} of it"
            )
    common.tell([many(rows, by_person)], as_json=False)


def many(rows, by_person):
    """Return the FNIR at the last of the rates with MANY templates each, the threshold chosen on these searches."""
    people = {name: Person(rows[own]) for name, own in by_person.items()}
    found = evaluate(people, {}, Plan(MANY, SPLITS))
    point = found.at_fpir[-1]
    what = (
        f"FNIR at an FPIR of {point.wanted:.0%}, {found.enrolled} people with {MANY} templates each,"
        f" {found.mated} searches for them, {found.non_mated} for strangers"
    )
    return common.figure(what, point.fnir.value, "{:.2%}", most=0.04)


def split(rows, by_person, several, score, seed):
    """Return (FPIR, FNIR) at each rate, and the margins at the last one, in parts of the threshold."""
    rng = np.random.default_rng(seed)
    enrolled = sorted(rng.permutation(len(several))[: 4 * len(several) // 5].tolist())
    templates, owners, mated, mates = [], [], [], []
    for number, place in enumerate(enrolled):
        own = rng.permutation(by_person[several[place]]).tolist()
        templates += own[:EACH]
        owners += [number] * EACH
        mated += own[EACH:]
        mates += [number] * len(own[EACH:])
    names = {several[place] for place in enrolled}
    strangers = [row for name, own in by_person.items() if name not in names for row in own]
    known = {number: str(number) for number in owners}
    index = Index(Templates(rows[templates], tuple(range(len(owners))), tuple(owners), known, 1), score)
    by_rate = []
    searches = len(owners)
    near, found = index.distances(rows[strangers]).min(axis=1), index.distances(rows[mated])
    first, best = found.argmin(axis=1), np.sort(found, axis=1)
    for rate in RATES:
        if searches < 3 / rate:
            by_rate.append((np.nan, np.nan))
            continue
        (point,) = leave_one_out(index, (rate,))
        right = (first == np.array(mates)) & (best[:, 0] <= point.threshold)
        by_rate.append(((near <= point.threshold).mean(), 1 - right.mean()))
        two = best[:, 1] <= point.threshold
        margin = (best[:, 1] - best[:, 0]) / point.threshold
        margins = {"right": margin[two & right], "wrong": margin[two & ~right]}
    return [*by_rate, margins]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
