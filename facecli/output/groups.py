"""Error rates by group of people, as a part of the documents of evaluations and calibrations, and its table rows."""

from __future__ import annotations

from facecli.evaluation.groups import Differential, GroupedRates
from facecli.output.rates import DIGITS, rate, rate_row
from facecli.output.records import Record

KINDS = ("fmr", "fnmr")


def part(groups: GroupedRates) -> Record:
    """Return the rates of groups as documents have them: each group's, and how far they differ."""
    mated, non_mated = groups.without_group
    return {
        "by": list(groups.by),
        "rates": [{"group": group.name, "fmr": rate(group.fmr), "fnmr": rate(group.fnmr)} for group in groups.groups],
        "fmr": _differential(groups.fmr),
        "fnmr": _differential(groups.fnmr),
        "without_group": {"mated": mated, "non_mated": non_mated},
    }


def rows(part: Record) -> list[Record]:
    """Return the rows of a table or CSV for such a part: a rate of each group, and how far they differ."""
    table: list[Record] = []
    for kind in KINDS:
        measured = [group for group in part["rates"] if group[kind] is not None]
        table += [rate_row(f"{kind.upper()} {group['group']}", group[kind]) for group in measured]
        if part[kind] is not None:
            note = f"worst: {part[kind]['worst']}; best: {part[kind]['best']}"
            ratio = {"measure": f"{kind.upper()} worst / geometric mean"}
            table.append({"measure": f"{kind.upper()} mean of groups", "value": part[kind]["mean"]})
            table.append(ratio | {"value": part[kind]["worst_over_geometric_mean"], "note": note})
    return table


def _differential(found: Differential | None) -> Record | None:
    if found is None:
        return None
    ratios = {
        "worst_over_geometric_mean": found.worst_over_geometric_mean,
        "worst_over_best": found.worst_over_best,
    }
    rounded = {name: None if ratio is None else round(ratio, DIGITS) for name, ratio in ratios.items()}
    means = {"mean": round(found.mean, DIGITS), "geometric_mean": round(found.geometric_mean, DIGITS)}
    return {"worst": found.worst, "best": found.best, **means, **rounded}
