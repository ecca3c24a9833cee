"""What `emotion` and `analyze` share: attributes of every face."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facecli.cli.settings import Settings
from facecli.errors import PluginError, UsageError
from facecli.hosting.attributes import resolve

if TYPE_CHECKING:
    from facecli.contract import AttributePlugin
    from facecli.hosting.toolbox import Toolbox


def run(
    schema: str,
    inputs: tuple[str, ...],
    wanted: Sequence[str],
    labels: Sequence[str],
    annotate: Path | None,
    settings: Settings,
) -> int:
    """Run what `wanted` names (an attribute, attribute/model, or a measure) and write the result."""
    from facecli.cli import context, preset, progress, wiring
    from facecli.cli.inputs import count_inputs, open_sources
    from facecli.faces.measures import MEASURES
    from facecli.output import drawing, pictures, records
    from facecli.output.rows import CSV_COLUMNS, attribute_columns, csv_rows, measure_column, table_rows

    settings = preset.applied(settings, "detector")
    wanted = preset.attributes(settings, wanted)
    output = context.open_output(settings)
    total = count_inputs(inputs, settings)
    with output.opened():
        measured = tuple(dict.fromkeys(name for name in wanted if name in MEASURES))
        models = [resolve(name, context.registry(), context.open_store()) for name in wanted if name not in MEASURES]
        tools = wiring.open_toolbox(settings, inputs=total, attributes=models)
        _check_names([plugin.attribute for plugin in tools.attribute_plugins])
        _check_labels(labels, tools.attribute_plugins)
        _check_measures(measured, tools)
        keep = annotate is not None
        pipeline = wiring.open_pipeline(tools, settings, inputs=total, keep_image=keep, measures=measured)
        sources = open_sources(inputs, settings)
        failed = False

        def paint(result: Any) -> Any:
            names = [answer.attribute for answer in result.attributes]
            faces = [{name: face[name] for name in names} for face in records.image(result, labels=labels)["faces"]]
            return drawing.attributes_of(result, [drawing.probabilities_by_label(face) for face in faces])

        writers = [pictures.annotation_writer(annotate, paint, many=total != 1)] if annotate else []

        def results() -> Iterator[dict[str, Any]]:
            nonlocal failed
            for result in progress.told(pipeline.run(sources), settings, total):
                done, files = progress.write_pictures(result, writers)
                failed |= done.error is not None
                record = records.image(done, labels=labels)
                yield record | ({"written": files} if writers else {})

        header = records.header(
            schema,
            detector=records.described(tools, tools.detector_plugin),
            attributes={p.attribute: records.described(tools, p) for p in tools.attribute_plugins},
            **({"measures": measured} if schema == "analyze" else {}),
            **preset.named(settings),
        )
        shown = {p.attribute: records.shown_labels(p.labels, labels) for p in tools.attribute_plugins}
        columns = [*CSV_COLUMNS, *attribute_columns(shown)]
        columns += [measure_column(name, part) for name in measured for part in MEASURES[name]]
        output.stream(header, "images", results(), columns, csv_rows, table_rows)
    return 1 if failed else 0


def _check_names(attributes: Sequence[str]) -> None:
    """Each attribute is a key of a face's record: none may come twice. That none hides another, the toolbox sees."""
    for name in attributes:
        if attributes.count(name) > 1:
            raise UsageError(f"two models of {name} were named", hint="name one of them")


def _check_measures(names: Sequence[str], tools: Toolbox) -> None:
    from facecli.faces.measures import NEED_LANDMARKS

    blind = tools.detector_plugin is None or not tools.detector_plugin.landmarks
    for name in NEED_LANDMARKS.intersection(names) if blind else ():
        if tools.detector_plugin is None:
            raise UsageError(f"{name} is measured by landmarks, which --no-detect leaves out", hint=f"leave out {name}")
        raise PluginError(
            f"{name} is measured by landmarks, which {tools.detector_plugin.name} does not give",
            hint="choose another --detector, such as mtcnn",
        )


def _check_labels(labels: Sequence[str], plugins: Sequence[AttributePlugin]) -> None:
    known = [label for plugin in plugins for label in plugin.labels]
    unknown = [label for label in labels if label not in known]
    if unknown:
        raise UsageError(f"there is no label {', '.join(unknown)}", hint=f"there is {', '.join(known)}")
