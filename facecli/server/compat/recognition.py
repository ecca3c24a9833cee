"""Recognition, detection and verification in the fields of CompreFace 1.2, https://github.com/exadel-inc/CompreFace."""

from __future__ import annotations

from collections.abc import Callable

from facecli.gallery.index import unit
from facecli.gallery.store import loose
from facecli.output.records import Record
from facecli.pictures.sources import Source
from facecli.pipeline.results import ImageResult
from facecli.server import refusals
from facecli.server.compat.ids import number_of
from facecli.server.compat.options import PLUGINS, Options
from facecli.server.compat.rendering import largest_first, shown
from facecli.server.compat.similarity import similarity
from facecli.server.looks import Looks, Sift, decision
from facecli.server.people import People
from facecli.types import FloatArray


class Recognition:
    """Answers requests. Everything here works in a thread of the queue."""

    def __init__(self, looks: Looks, people: People) -> None:
        self._looks, self._people = looks, people

    def detect(self, picture: Source, options: Options) -> Record:
        """Return the faces of a picture."""
        result = self._seen(picture, options)
        return self._answer(result, options, lambda _row: {})

    def recognise(self, picture: Source, options: Options) -> Record:
        """Return the faces of a picture with the subjects who are most like each."""
        result = self._seen(picture, options)
        if not self._people.store.searched()[0]:
            return self._answer(result, options, lambda _row: {"subjects": []})
        search = self._looks.search()
        answers = search.answers(result, options.predictions)

        def subjects(row: int) -> Record:
            found = answers[row].candidates[: options.predictions]
            threshold = search.rule.threshold
            listed = [{"subject": one.person, "similarity": similarity(one.distance, threshold)} for one in found]
            return {"subjects": listed}

        return self._answer(result, options, subjects)

    def verify(self, source: Source, target: Source, options: Options) -> Record:
        """Return the largest face of one picture with the faces of another, each with its similarity."""
        first = self._seen(source, Options(1, plugins=options.plugins))
        row = largest_first(first)[0]
        assert first.embeddings is not None
        compared = self._compared(first.embeddings[row], self._seen(target, options), options)
        face = shown(first, row, options)
        return {"result": [{"source_image_face": face, "face_matches": compared.pop("result"), **compared}]}

    def verify_example(self, image_id: str, picture: Source, options: Options) -> Record:
        """Return the faces of a picture, each with its similarity to an example."""
        number = number_of(image_id)
        own = loose.embedding(self._people.store, number)
        if own is None:
            raise refusals.missing("image")
        return self._compared(own, self._seen(picture, options), options)

    def _seen(self, picture: Source, options: Options) -> ImageResult:
        attributes = sorted({name for slug in options.plugins if (name := PLUGINS[slug]) is not None})
        sift = Sift("all", options.min_score, require_face=True)
        return self._looks.named(picture, attributes, sift)

    def _compared(self, own: FloatArray, result: ImageResult, options: Options) -> Record:
        assert result.embeddings is not None
        distances = 1.0 - unit(result.embeddings) @ unit(own[None])[0]
        threshold = self._looks.faces.judge(decision("cosine", None, None), None).rules[0].threshold
        return self._answer(result, options, lambda row: {"similarity": similarity(float(distances[row]), threshold)})

    def _answer(self, result: ImageResult, options: Options, more: Callable[[int], Record]) -> Record:
        rows = largest_first(result)[: options.limit or None]
        answer: Record = {"result": [shown(result, row, options) | more(row) for row in rows]}
        if options.status:
            answer["plugins_versions"] = self._versions(options)
        return answer

    def _versions(self, options: Options) -> dict[str, str]:
        tools = self._looks.gallery.tools()
        versions = {"detector": tools.detector_plugin.name if tools.detector_plugin else "none"}
        assert tools.recognizer_plugin is not None
        versions["calculator"] = tools.recognizer_plugin.name
        return versions | {slug: f"facecli {slug}" for slug in options.plugins if PLUGINS[slug] is not None}
