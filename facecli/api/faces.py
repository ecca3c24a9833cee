"""`facecli.Faces`: everything that facecli does with pictures, for Python and for the commands of the command line."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal

from facecli.api.engine import Engine, until_failure
from facecli.api.footage import Footage
from facecli.api.selection import Request, Selection
from facecli.api.workload import Workload
from facecli.errors import UsageError
from facecli.hosting.loader import Loader
from facecli.hosting.registry import Registry
from facecli.inference import providers
from facecli.kinds import Rotation
from facecli.models.store import ModelStore

if TYPE_CHECKING:  # imported by the methods: models load while OpenCV and the rest of the pipeline are imported
    from facecli.api.gallery import Gallery
    from facecli.api.judge import Comparison, Judge
    from facecli.api.picture import Picture
    from facecli.api.reading import Readable
    from facecli.clustering.clusters import Clustering
    from facecli.contract import Metric
    from facecli.inference.providers import Tuning
    from facecli.matching.rules import DecisionRequest
    from facecli.matching.verification import Verification


class Faces(Footage):
    """Finds, compares and describes faces. Models are loaded once, when they are first needed.

    >>> from facecli import Faces
    >>> faces = Faces()
    >>> faces.verify("examples/hopper.jpg", "examples/collins.jpg").verified
    False

    A picture is a path, a URL, bytes of a picture file, a PIL image, or a (H, W, 3) uint8 array in RGB. Methods for one
    picture raise facecli.errors.FacecliError; `run` leaves the error in the picture. One object may serve many threads.
    As a context manager it frees its models at the end of the block. engine: the commands of the command line work with
    it; it is no part of the public interface.
    """

    def __init__(  # the door: every setting of a caller is one keyword
        self,
        *,
        detector: str | None = None,
        recognizer: str | Sequence[str] | None = None,
        attributes: str | Sequence[str] | None = None,
        preset: str | None = None,
        device: str = "auto",
        face: str | int | None = None,
        min_score: float | None = None,
        min_face_size: float | None = None,
        parameters: Mapping[str, Mapping[str, Any]] | None = None,
        flip: bool = False,
        no_detect: bool = False,
        rotate: Rotation = "never",
        threads: int | None = None,
        jobs: int = 1,
        batch_size: int = 1,
        offline: bool | None = None,
        max_pixels: int | None = None,
        max_bytes: int | None = None,
        timeout: float | None = None,
        tuning: Tuning | None = None,
        registry: Registry | None = None,
        store: ModelStore | None = None,
    ) -> None:
        """Choose plugins and settings; nothing is loaded yet.

        detector, recognizer: names of plugins; several recognizers decide together in `verify`, and the first embeds.
        attributes: answers of `analyze` about each face, "age", "gender" and "emotion" by default. preset: whose
        settings hold where nothing else is named: those of deepface, insightface, facenet-pytorch, face_recognition or
        facecli-0.1. device: auto, cpu, cuda, or another name in docs/devices.md. face: only, largest, center, score,
        all, or an index; None is each method's default. min_score: least score of a face, in [0, 1]. min_face_size: px,
        of the longer side. parameters: plugin's name -> parameters. flip: average each embedding with the mirrored
        crop's. no_detect: pictures are crops already. rotate: "auto" also looks at pictures turned by 90, 180 and 270
        degrees. threads: CPU threads of one model run; None divides the cores by the jobs. jobs: batches that `run`,
        and frames that `track`, works on at once. batch_size: pictures in a batch. offline: never fetch a model; None
        follows FACECLI_OFFLINE. max_pixels, max_bytes: largest picture, decoded and as a file; timeout: seconds for a
        URL; facecli.types.Limits has their defaults. tuning: options of ONNX Runtime. registry: finds plugins. store:
        finds models; `offline` is its own.

        Raises UsageError for an unknown preset or numbers that make no sense, DeviceError for an unknown device.
        """
        names = (recognizer,) if isinstance(recognizer, str) else tuple(recognizer or ())
        providers.split(device)
        selection = Selection(
            detector,
            names,
            preset,
            parameters or {},
            min_face_size,
            min_score,
            flip=flip,
            no_detect=no_detect,
            rotate=rotate,
        )
        workload = Workload(threads, jobs, batch_size, max_pixels, max_bytes, timeout)
        loader = Loader(
            registry or Registry(),
            store or ModelStore(offline=offline),
            device=device,
            threads=workload.threads_of_a_run,
            tuning=tuning,
        )
        self.engine = Engine(
            selection, workload, loader, (attributes,) if isinstance(attributes, str) else attributes, face
        )

    def detect(self, picture: Readable, *, face: str | int | None = None) -> Picture:
        """Return a picture with bbox, score and landmarks of each face; no face is no error. Raises FacecliError."""
        return self.engine.one(picture, Request(), face)

    def embed(self, picture: Readable, *, face: str | int | None = None) -> Picture:
        """Return a picture with the embedding of each face. Raises FacecliError, NoFaceError if there is none."""
        return self.engine.one(picture, Request(embed=True), face)

    def analyze(
        self,
        picture: Readable,
        attributes: str | Sequence[str] | None = None,
        *,
        embed: bool = False,
        face: str | int | None = None,
    ) -> Picture:
        """Return a picture with attributes of each face. Raises FacecliError, NoFaceError if there is no face.

        attributes: such as "emotion", "age/genderage", "pose" or "quality"; None takes those of the constructor. embed:
        with embeddings, too.
        """
        return self.engine.one(picture, self.engine.request(attributes, embed=embed), face)

    def verify(  # the door
        self,
        a: Readable,
        b: Readable,
        *,
        metric: Metric | None = None,
        threshold: float | None = None,
        fmr: float | None = None,
        operating_point: str | None = None,
        anti_spoof: bool = False,
        face: str | int | None = None,
        keep_image: bool = False,
    ) -> Verification:
        """Decide whether two pictures show the same person (1:1).

        metric: cosine, euclidean, euclidean_l2 or angular; None is the recognizer's own. threshold: largest distance of
        one person, in that metric. fmr: rate of false matches to allow instead. operating_point: the name of a point
        that the user has calibrated, "catalogue", "publisher" for that of the weights' publisher, or "cohort" for the
        one that compares beside strangers. anti_spoof: a face that looks like a print or a screen is not verified.
        face: "largest" by default; with "all" the closest pair of faces decides. keep_image: leave the decoded pictures
        in `.results`.

        Raises FacecliError. If both pictures fail, the first one's error is raised and has the other in `further`.
        """
        wish = self.engine.decision(metric, threshold, fmr, operating_point)
        return self.judge(wish, face, anti_spoof=anti_spoof, keep_image=keep_image).pair(a, b)

    def verify_many(  # the door
        self,
        a: Readable,
        pictures: Readable | Iterable[Readable],
        *,
        metric: Metric | None = None,
        threshold: float | None = None,
        fmr: float | None = None,
        operating_point: str | None = None,
        anti_spoof: bool = False,
        face: str | int | None = None,
        keep_image: bool = False,
    ) -> Iterator[Comparison]:
        """Return an iterator that compares one picture with each of many: one Comparison per picture, in order.

        pictures: one or many, as in `run`. The keywords are those of `verify`. A picture without a face has no
        `.verification`; the failure of one is in its `.error`. Raises FacecliError if `a` fails.
        """
        wish = self.engine.decision(metric, threshold, fmr, operating_point)
        judge = self.judge(wish, face, anti_spoof=anti_spoof, keep_image=keep_image)
        return judge.against(judge.probe(a), pictures)

    def judge(
        self, wish: DecisionRequest, face: str | int | None, *, anti_spoof: bool = False, keep_image: bool = False
    ) -> Judge:
        """Return what decides about pairs of pictures; the commands work with it. The arguments are those of Judge."""
        from facecli.api.judge import Judge

        return Judge(self.engine, wish, face, anti_spoof=anti_spoof, keep_image=keep_image)

    def run(  # the door
        self,
        pictures: Readable | Iterable[Readable],
        *,
        embed: bool = False,
        attributes: str | Sequence[str] | None = (),
        face: str | int | None = None,
        need_face: bool = False,
        keep_image: bool = False,
        errors: Literal["keep", "raise"] = "keep",
    ) -> Iterator[Picture]:
        """Return an iterator of one Picture per picture, in order, in bounded memory; a failure is in its `.error`.

        pictures: one or many; a name may also be a folder or a glob, whose pictures follow each other. embed,
        attributes: answers about each face beside its place; attributes=None takes those of the constructor. need_face:
        whether a picture without a face is an error. keep_image: leave the decoded picture in `.result.image`. errors:
        "raise" ends the run with the first failure.

        Raises UsageError or PluginError at once for a request that makes no sense; the iterator raises ModelError,
        DeviceError or PluginError if the models can not be loaded.
        """
        if errors not in ("keep", "raise"):
            raise UsageError(f"errors must be keep or raise, got {errors!r}", hint="leave it out")
        request = self.engine.request(attributes, embed=embed)
        flow = self.engine.flow(request, face, need_face=need_face, keep_image=keep_image)
        analysed = self.engine.stream(request, pictures, flow, strict=False)
        return analysed if errors == "keep" else until_failure(analysed)

    def gallery(self, path: str | os.PathLike[str]) -> Gallery:
        """Return the gallery of people in a file, which the first `enroll` makes.

        Where these Faces name no recognizer and detector, the gallery's own are used.
        """
        from facecli.api.gallery import Gallery

        return Gallery(Path(path), self.engine)

    def cluster(  # the door
        self,
        pictures: Readable | Iterable[Readable] = (),
        *,
        gallery: Gallery | None = None,
        threshold: float | None = None,
        fmr: float | None = None,
        min_faces: int = 2,
        ids_from: Clustering | str | os.PathLike[str] | None = None,
        face: str | int | None = None,
    ) -> Clustering:
        """Return the people whom the faces of many pictures show; `.failed` has the pictures that could not be used.

        pictures: as in `run`, or .npz files of `facecli embed`; none clusters the gallery's own faces. gallery: whose
        people are recognised first. threshold: largest mean cosine distance of two groups of faces that become one;
        fmr: false match rate whose threshold to take instead, 1e-3 by default. min_faces: how many faces make a person
        of somebody unnamed. ids_from: an earlier result, or its JSON file, whose ids people keep. Raises FacecliError.
        """
        from facecli.api.clustering import gathered

        gathering = gathered(self.engine, gallery, pictures, face)
        return gathering.clustered(threshold, fmr, min_faces, gathering.ids_of(ids_from))

    def close(self) -> None:
        """Free the loaded models; every later call raises UsageError. A run that is under way ends as it would."""
        self.engine.close()

    def __enter__(self) -> Faces:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
