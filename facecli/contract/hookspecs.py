"""The hooks that the module of a plugin may implement, one for each entry-point group.

Each hook but `facecli_commands` yields descriptors, of which one has the name of the entry point. Its argument `name`
says which entry point is being loaded. A module behind many entry points may yield only that one. A module with few
omits the argument and yields all.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from facecli.contract.attribute import AttributePlugin
    from facecli.contract.command import CommandGroup
    from facecli.contract.detector import DetectorPlugin
    from facecli.contract.engine import EnginePlugin
    from facecli.contract.recipe import ExportRecipe
    from facecli.contract.recognizer import RecognizerPlugin
    from facecli.contract.tracker import TrackerPlugin

hookspec = pluggy.HookspecMarker("facecli")


@hookspec
def facecli_detectors(name: str) -> Iterable[DetectorPlugin]:  # type: ignore[empty-body]
    """Yield detectors. The entry point in group `facecli.detectors` has the detector's name.

    Example::

        import numpy as np

        from facecli.contract import DetectorPlugin, hookimpl
        from facecli.types import Detections


        class MiddleDetector:
            def detect(self, images):
                return [self._look(image) for image in images]

            def _look(self, image):
                if image.pixels.std() < 1:  # blank
                    return Detections.empty(landmarks=False)
                bbox = np.array([[0.25, 0.25, 0.75, 0.75]], np.float32)
                sides = np.array([image.width, image.height] * 2, np.float32)
                return Detections(bbox * sides, np.array([0.5], np.float32))


        @hookimpl
        def facecli_detectors():
            yield DetectorPlugin(
                name="example-middle",
                summary="the middle of every picture that is not blank",
                load=lambda runtime, parameters: MiddleDetector(),
                landmarks=False,
            )
    """


@hookspec
def facecli_recognizers(name: str) -> Iterable[RecognizerPlugin]:  # type: ignore[empty-body]
    """Yield recognizers. The entry point in group `facecli.recognizers` has the recognizer's name.

    Example::

        from facecli.contract import CropSpec, OperatingPoint, RecognizerPlugin, hookimpl


        class ColourRecognizer:
            def embed(self, crops):  # (N, 32, 32, 3) uint8
                return crops.mean(axis=(1, 2), dtype="float32") + 1  # (N, 3) float32; no embedding has length 0


        @hookimpl
        def facecli_recognizers():
            yield RecognizerPlugin(
                name="example-colour",
                summary="the mean colour of the face",
                load=lambda runtime, parameters: ColourRecognizer(),
                crop=CropSpec(32, 32, template=((10, 12), (22, 12), (16, 18), (11, 24), (21, 24))),
                dim=3,
                normalized=False,
                operating_point=OperatingPoint("euclidean", 10.0, source="nothing was measured"),
            )
    """


@hookspec
def facecli_attributes(name: str) -> Iterable[AttributePlugin]:  # type: ignore[empty-body]
    """Yield attribute models. The entry point in group `facecli.attributes` has the model's name, ATTRIBUTE/MODEL.

    Example::

        import numpy as np

        from facecli.contract import AttributePlugin, CropSpec, hookimpl


        class LightClassifier:
            def classify(self, crops):  # (N, 32, 32, 3) uint8
                light = crops.mean(axis=(1, 2, 3), dtype="float32") / np.float32(255)
                return np.stack([1 - light, light], axis=1)  # (N, 2) float32, rows sum to 1


        @hookimpl
        def facecli_attributes():
            yield AttributePlugin(
                name="light/example",
                summary="is the face dark or bright?",
                attribute="light",
                load=lambda runtime, parameters: LightClassifier(),
                crop=CropSpec(32, 32),
                labels=("dark", "bright"),
            )
    """


@hookspec
def facecli_trackers(name: str) -> Iterable[TrackerPlugin]:  # type: ignore[empty-body]
    """Yield trackers. The entry point in group `facecli.trackers` has the tracker's name.

    Example::

        import numpy as np

        from facecli.contract import TrackerPlugin, hookimpl
        from facecli.types import Tracked


        class OrderTracker:
            def __init__(self):
                self.next, self.living = 1, []

            def update(self, detections, seconds, image):
                living = self.living[: len(detections)]
                new = range(self.next, self.next + len(detections) - len(living))
                self.next, self.living = new.stop, [*living, *new]
                ids, sure = np.array(self.living, np.int64), np.ones(len(detections), bool)
                return Tracked(ids, detections.bboxes, sure, np.zeros(0, np.int64), np.zeros((0, 4), np.float32))


        @hookimpl
        def facecli_trackers():
            yield TrackerPlugin(
                name="example-order",
                summary="the surest face is one track, the next one another",
                load=lambda runtime, parameters: OrderTracker,
            )
    """


@hookspec
def facecli_export_recipes(name: str) -> Iterable[ExportRecipe]:  # type: ignore[empty-body]
    """Yield export recipes. The entry point in group `facecli.recipes` has the recipe's name.

    Example::

        import numpy as np

        from facecli.contract import ExportPart, ExportRecipe, hookimpl
        from facecli.errors import ExportError


        def build(weights):
            if weights is None:
                raise ExportError("example-linear needs its weights")
            import torch

            network = torch.nn.Linear(4, 2)
            network.load_state_dict(torch.load(weights, weights_only=True))
            part = ExportPart(
                file="example_linear.onnx",
                module=network.eval(),
                input_names=("numbers",),
                output_names=("values",),
                sample=lambda batch, variant: (np.random.default_rng(0).random((batch, 4), np.float32),),
                dynamic_axes={"numbers": {0: "batch"}},
                source=weights,
            )
            return (part,)


        @hookimpl
        def facecli_export_recipes():
            yield ExportRecipe(
                name="example-linear",
                summary="one linear layer",
                model="example-linear",
                build=build,
                default_weights=None,
                licence="Apache-2.0",
            )
    """


@hookspec
def facecli_engines(name: str) -> Iterable[EnginePlugin]:  # type: ignore[empty-body]
    """Yield engines. The entry point in group `facecli.engines` has the engine's name.

    Example::

        from facecli.contract import EnginePlugin, hookimpl


        class SingleEngine:
            def __init__(self, resources):
                self.threads = resources.threads or resources.cores

            def run(self, work, shards):
                worker = work.open(self.threads)
                for shard in shards:
                    yield worker(shard)


        @hookimpl
        def facecli_engines():
            yield EnginePlugin(
                name="example-single",
                summary="one shard after the other in this process, which ends if a picture ends it",
                load=lambda resources, parameters: SingleEngine(resources),
            )
    """


@hookspec
def facecli_commands(group: CommandGroup) -> None:
    """Add a command to the group of `facecli`. The entry point in group `facecli.commands` has the command's name.

    group: a click.Group.

    Example::

        import click

        from facecli.contract import hookimpl


        @hookimpl
        def facecli_commands(group):
            @group.command("example-hello")
            def hello():
                click.echo("hello")
    """
