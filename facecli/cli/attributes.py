"""The common part of `emotion` and `analyze`: attributes of every face, shown and drawn."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facecli.errors import UsageError

if TYPE_CHECKING:
    from facecli.api.selection import Request
    from facecli.cli.settings import InputSettings, OutputSettings, PluginSettings, RunSettings
    from facecli.contract import AttributePlugin
    from facecli.hosting.toolbox import Toolbox
    from facecli.pipeline.results import ImageResult
    from facecli.types import UInt8Array


@dataclass(frozen=True, slots=True)
class Question:
    """A question about each face of some pictures.

    schema: the command's name. names: attributes, models of them and measures; None is the preset's, or the default.
    labels: the only labels to show probabilities of. annotate: a file or folder for annotated copies. embed: with
    embeddings.
    """

    schema: str
    names: tuple[str, ...] | None
    labels: tuple[str, ...] = ()
    annotate: Path | None = None
    embed: bool = False


def answer(
    question: Question,
    reading: InputSettings,
    plugins: PluginSettings,
    running: RunSettings,
    output: OutputSettings,
) -> int:
    """Analyse all pictures and write the answers. Return the exit code."""
    from facecli.cli import context, inputs, streaming, wiring
    from facecli.cli.wording import option

    sink = context.open_sink(output)
    total = inputs.count_inputs(reading)
    with sink.opened():
        faces = wiring.open_faces(plugins, running, reading, inputs=total)
        engine = faces.engine
        request = engine.request(question.names, embed=question.embed)
        tools = engine.tools(request)
        _check_labels(question.labels, tools.attribute_plugins)

        # Imported while the models load in their threads.
        from facecli.output import drawing, pictures, records, rows
        from facecli.output.overwriting import OutputPaths

        def record(result: ImageResult) -> dict[str, Any]:
            return records.image(result, embeddings=question.embed, labels=question.labels, wording=option)

        def paint(result: ImageResult) -> UInt8Array:
            names = [rows.attribute for rows in result.attributes]
            answers = [{name: face[name] for name in names} for face in record(result)["faces"]]
            return drawing.attributes_of(result, [drawing.probabilities_by_label(face) for face in answers])

        annotate = question.annotate
        header = _header(question, request, tools) | plugins.named_preset
        identity = records.identity(header["recognizer"]) if question.embed else {}
        shown = streaming.Presentation(
            header=header,
            record=record,
            columns=_columns(question, request, tools, identity, rotated=plugins.looks_around),
            csv_rows=lambda one: [row | identity for row in rows.csv_rows(one)],
            writers=[pictures.annotation_writer(annotate, paint, many=total != 1)] if annotate else [],
            remarks=True,
        )
        sources = inputs.open_sources(reading, OutputPaths(annotate=annotate))
        flow = engine.flow(request, plugins.face, need_face=plugins.require_face, keep_image=annotate is not None)
        analysed = engine.stream(request, sources, flow)
        return streaming.stream(sink, analysed, shown, output, total=inputs.total(reading))


def _header(question: Question, request: Request, tools: Toolbox) -> dict[str, Any]:
    from facecli.output import records

    parts: dict[str, Any] = {"detector": records.described(tools, tools.detector_plugin)}
    if question.embed:
        parts["recognizer"] = records.embedder(tools)
    parts["attributes"] = {p.attribute: records.described(tools, p) for p in tools.attribute_plugins}
    if question.schema == "analyze":
        parts["measures"] = request.measures
    return records.header(question.schema, **parts)


def _columns(
    question: Question, request: Request, tools: Toolbox, identity: Iterable[str], *, rotated: bool
) -> list[str]:
    """Return the columns of a CSV. identity: names of those that say which model an embedding is of."""
    from facecli.output import records, rows

    labels = {p.attribute: records.shown_labels(p.labels, question.labels) for p in tools.attribute_plugins}
    columns = rows.csv_columns(rotated=rotated)
    if question.embed and tools.recognizer_plugin is not None:
        columns += [*identity, *rows.embedding_columns(tools.recognizer_plugin.dim)]
    estimated = [p.attribute for p in tools.attribute_plugins if p.bins]
    return [*columns, *rows.attribute_columns(labels, estimated), *rows.measure_columns(request.measures)]


def _check_labels(labels: Sequence[str], plugins: Sequence[AttributePlugin]) -> None:
    known = [label for plugin in plugins for label in plugin.labels]
    unknown = [label for label in labels if label not in known]
    if unknown:
        raise UsageError(f"there is no label {', '.join(unknown)}", hint=f"there is {', '.join(known)}")
