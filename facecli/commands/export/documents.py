"""An export for people and programs: the documents of `facecli export` and their table rows."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from facecli.export.report import ExportedFile
    from facecli.hosting.registry import Registry


def recipes(registry: Registry) -> list[dict[str, Any]]:
    """Return the rows of all recipes; a broken plugin has the reason in place of its summary."""
    from facecli.errors import PluginError

    listed = []
    for entry in registry.entries("recipes"):
        try:
            recipe = registry.load_entry(entry)
            summary, model, weights = recipe.summary, recipe.model, recipe.default_weights
        except PluginError as error:
            summary, model, weights = f"broken: {error.message}", None, None
        row = {"recipe": entry.name, "model": model, "summary": summary, "default_weights": weights}
        listed.append(row | {"from": entry.origin})
    return listed


def described(file: ExportedFile, *, kept: bool) -> dict[str, Any]:
    """Return the record of an exported file. kept: False if the file is gone after the command, so it has no path."""
    axes = file.axes.document()["outputs"]
    outputs = [{"output": name, "axes": axes[name]} | asdict(worst) for name, worst in file.worst.items()]
    return {
        "file": file.path.name,
        "kind": file.kind,
        "path": str(file.path) if kept else None,
        "report": str(file.report) if kept else None,
        "size": file.size,
        "sha256": file.sha256,
        "source": file.source,
        "source_sha256": file.source_sha256,
        "exporter": file.exporter,
        "notes": list(file.notes),
        "steps": list(file.steps),
        "task": file.task,
        "tolerance": file.tolerance,
        "outputs": outputs,
        "proved_on": file.proved_on,
        "detection": file.detection and asdict(file.detection),
        "latency_ms": file.latency,
        "accuracy": file.accuracy,
    }


def rows(file: ExportedFile) -> list[dict[str, Any]]:
    """Return the proof in short, a row per figure."""
    from facecli.export.proof.axes import axes_text

    figures = [("size", f"{file.size} bytes, sha256 {file.sha256[:12]}...")]
    for name, worst in file.worst.items():
        figures.append((name, f"is {axes_text(file.axes.outputs[name])}, as its source"))
        figures.append((name, f"differs by {worst.max_difference:.1e} at most, {worst.mean_difference:.1e} on average"))
        if worst.meaning is not None:
            kind = "least cosine" if file.task == "embedding" else "part of equal classes"
            figures.append((name, f"{kind} {worst.meaning:.7f}"))
    if file.proved_on == "samples":
        figures.append(("proved on", "faces in your pictures"))
    if (detection := file.detection) is not None:
        shift = "" if detection.landmarks is None else f", landmarks within {detection.landmarks:.1e} px"
        figures.append(("faces", f"{detection.faces}, least IoU {detection.iou:.4f}{shift}"))
        if (peer := detection.peer) is not None:
            shift = f"boxes within {peer.boxes:.1e} px, landmarks within {peer.landmarks:.1e} px"
            figures.append((peer.name, f"finds the same {peer.faces} faces with the source file, {shift}"))
    for kind, batches in (file.latency or {}).items():
        figures.append((f"{kind} takes", ", ".join(f"{ms:.2f} ms at batch {batch}" for batch, ms in batches.items())))
    for kind, accuracy in (file.accuracy or {"files": {}})["files"].items():
        measured = f"{accuracy['accuracy']:.2%} right at the threshold, {accuracy['best_accuracy']:.2%} at the best one"
        figures.append((f"{kind} has", measured))
    return [{"file": file.path.name, "what": what, "measured": measured} for what, measured in figures]
