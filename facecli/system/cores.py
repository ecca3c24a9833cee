"""Cores that this process may use: its affinity, reduced by the CPU quotas of the containers that it runs in.

A container often sees all cores of its machine and may use a part of one; threads beyond that only slow it down.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

ROOT = Path("/")


def available_cores(root: Path = ROOT) -> int:
    """Return the number of cores, at least 1: the affinity or the tightest quota (cgroup v2 or v1), if that is less.

    root: the folder with proc and sys.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min([cores, *(int(quota) for quota in _quotas(root))]))


def _quotas(root: Path) -> Iterator[float]:
    """Yield the quotas, in cores, of this process's control groups and of all groups around them."""
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except (OSError, ValueError):
        lines = []
    for line in ["0::/", *lines]:  # in a container's own namespace, the mount's top is the container
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controllers and "cpu" not in controllers.split(","):
            continue
        mount = root / ("sys/fs/cgroup/cpu" if controllers else "sys/fs/cgroup")
        group = mount / path.strip("/")
        for folder in (group, *group.parents):
            if not folder.is_relative_to(mount):
                break
            quota = _version_1(folder) if controllers else _version_2(folder)
            if quota is not None:
                yield quota


def _version_2(folder: Path) -> float | None:
    """Return a quota in cores, from cgroup v2.

    cpu.max is "QUOTA PERIOD" in microseconds, or "max PERIOD" without quota (Linux kernel, admin-guide/cgroup-v2).
    """
    try:
        quota, period = (folder / "cpu.max").read_text().split()
        return None if quota == "max" else int(quota) / int(period)
    except (OSError, ValueError, ZeroDivisionError):
        return None


def _version_1(folder: Path) -> float | None:
    """Return a quota in cores, from cgroup v1.

    It is cpu.cfs_quota_us over cpu.cfs_period_us; -1 means no quota (Linux kernel, scheduler/sched-bwc).
    """
    try:
        quota, period = (int((folder / f"cpu.cfs_{name}_us").read_text()) for name in ("quota", "period"))
        return quota / period if quota > 0 else None
    except (OSError, ValueError, ZeroDivisionError):
        return None
