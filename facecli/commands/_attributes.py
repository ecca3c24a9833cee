"""What `emotion` and `analyze` share: attributes of every face."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facecli.commands._options import Settings
from facecli.errors import ModelError, PluginError, UsageError

if TYPE_CHECKING:
    from facecli.contract import AttributePlugin
    from facecli.models.store import ModelStore
    from facecli.registry import Registry
    from facecli.toolbox import Toolbox


def run(
    schema: str,
    inputs: tuple[str, ...],
    wanted: Sequence[str],
    labels: Sequence[str],
    annotate: Path | None,
    settings: Settings,
) -> int:
    """Run what `wanted` names (an attribute, attribute/model, or a measure) and write the result."""
    from facecli import draw, records
    from facecli.commands import _pictures, _preset, _work
    from facecli.measures import MEASURES

    settings = _preset.applied(settings, "detector")
    wanted = _preset.attributes(settings, wanted)
    output = _work.open_output(settings)
    total = _work.count_inputs(inputs, settings)
    with output.opened():
        measured = tuple(dict.fromkeys(name for name in wanted if name in MEASURES))
        models = [resolve(name, _work.registry(), _work.open_store()) for name in wanted if name not in MEASURES]
        tools = _work.open_toolbox(settings, inputs=total, attributes=models)
        _check_names([plugin.attribute for plugin in tools.attribute_plugins])
        _check_labels(labels, tools.attribute_plugins)
        _check_measures(measured, tools)
        keep = annotate is not None
        pipeline = _work.open_pipeline(tools, settings, inputs=total, keep_image=keep, measures=measured)
        sources = _pictures.open_sources(inputs, settings)
        failed = False

        def described(result: Any, row: int) -> dict[str, Any]:
            pairs = zip(tools.attribute_plugins, result.attributes, strict=True)
            answers = {p.attribute: records.probabilities(p.labels, rows[row], labels, p.floor) for p, rows in pairs}
            return answers | {name: records.measure(result.measures[row][name]) for name in measured}

        def paint(result: Any) -> Any:
            return draw.attributes_of(result, [_drawable(described(result, row)) for row in range(len(result.indices))])

        writers = [_pictures.annotation_writer(annotate, paint, many=total != 1)] if annotate else []

        def results() -> Iterator[dict[str, Any]]:
            nonlocal failed
            for result in _work.told(pipeline.run(sources), settings, total):
                rows = [described(result, row) for row in range(len(result.indices))]
                done, files = _work.write(result, writers)
                failed |= done.error is not None
                record = records.image(done, rows if result.error is None else None)
                yield record | ({"written": files} if writers else {})

        header = records.header(
            schema,
            detector=records.described(tools, tools.detector_plugin),
            attributes={p.attribute: records.described(tools, p) for p in tools.attribute_plugins},
            **({"measures": measured} if schema == "analyze" else {}),
            **_preset.named(settings),
        )
        shown = {p.attribute: records.shown_labels(p.labels, labels) for p in tools.attribute_plugins}
        columns = [*records.CSV_COLUMNS, *records.attribute_columns(shown)]
        columns += [records.measure_column(name, part) for name in measured for part in MEASURES[name]]
        output.stream(header, "images", results(), columns, records.csv_rows, records.table_rows)
    return 1 if failed else 0


def resolve(name: str, registry: Registry, store: ModelStore) -> str:
    """The plugin for "emotion" (the first installed model of it, one in the wheel first) or "emotion/x" (that one).

    Raises UsageError for an attribute that no plugin has, ModelError if none of its models is installed.
    """
    if "/" in name:
        return name
    names = list(dict.fromkeys(entry.name for entry in registry.entries("attributes")))
    candidates = [candidate for candidate in names if candidate.partition("/")[0] == name]
    if not candidates:
        from facecli.measures import MEASURES

        known = ", ".join(sorted({*MEASURES, *(candidate.partition("/")[0] for candidate in names)}))
        raise UsageError(f"there is no attribute {name!r}", hint=f"there is {known}")
    from facecli.models.store import how_to_get

    working = [plugin for candidate in candidates if (plugin := _load(candidate, registry)) is not None]
    # As the names are sorted; what came in the wheel is ours and free for any use, and what a user adds beside it he
    # names.
    for plugin in sorted(working, key=lambda plugin: not _embedded(plugin)):
        if all(store.state(spec) == "installed" for spec in plugin.models):
            return plugin.name
    absent = ([spec for spec in plugin.models if store.state(spec) != "installed"] for plugin in working)
    hint = next(filter(None, (how_to_get(*specs) for specs in absent if specs)), None)
    raise ModelError(f"no {name} model is installed; there is {', '.join(candidates)}", hint=hint)


def _embedded(plugin: AttributePlugin) -> bool:
    return bool(plugin.models) and all(file.path is not None for spec in plugin.models for file in spec.files)


def _load(name: str, registry: Registry) -> AttributePlugin | None:
    from facecli.contract import AttributePlugin

    try:
        return registry.load("attributes", name, AttributePlugin)
    except PluginError:  # somebody else's broken model is told by `plugins list`; it does not stop the others
        return None


def _check_names(attributes: Sequence[str]) -> None:
    """Each attribute is a key of a face's record: none may come twice. That none hides another, the toolbox sees."""
    for name in attributes:
        if attributes.count(name) > 1:
            raise UsageError(f"two models of {name} were named", hint="name one of them")


def _check_measures(names: Sequence[str], tools: Toolbox) -> None:
    from facecli.measures import NEED_LANDMARKS

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


def _drawable(attributes: dict[str, Any]) -> dict[str, float]:
    """Every probability of a face under "label" (one attribute) or "attribute label" (several)."""
    several = sum("probabilities" in answer for answer in attributes.values()) > 1
    return {
        f"{name} {label}" if several else label: value
        for name, answer in attributes.items()
        for label, value in answer.get("probabilities", {}).items()
    }
