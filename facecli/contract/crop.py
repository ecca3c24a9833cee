"""A model's input: the crop that facecli cuts out of a picture for it, and the numbers made of the crop's pixels."""

# Annotations are objects here, not texts: facecli.models checks a catalogue entry by the types of the fields.

from dataclasses import dataclass
from typing import Literal

Point = tuple[float, float]
Template = tuple[Point, Point, Point, Point, Point]

# Where the five points lie in insightface's crops of 112x112 px (insightface, utils/face_align.py).
_ARCFACE: Template = (
    (38.2946, 51.6963),
    (73.5318, 51.5014),
    (56.0252, 71.7366),
    (41.5493, 92.3655),
    (70.7299, 92.2041),
)
# Where MTCNN's points lie, on average, in the crops of 150x150 px that dlib cuts by landmarks of its own
# (benchmarks/dlib_template.py).
_DLIB: Template = ((48.68, 46.65), (102.34, 46.64), (75.44, 78.37), (51.66, 105.42), (99.05, 105.46))


@dataclass(frozen=True, slots=True)
class CropSpec:
    """States how facecli cuts a face for a model: aligned to five template points, or as a bbox with a margin.

    width, height: of the crop, px.
    template: five (x, y) points in crop pixels, ordered as Detections.landmarks; None for a bbox crop.
    margin: for a bbox crop, the part of the bbox's width and height that is added on each side; below 0 it is cut off.
    square: for a bbox crop, grow the shorter side to the longer one first.
    outside: for a bbox crop that reaches outside the picture. "black" fills the rest; "clip" cuts the rest off, as
        facenet-pytorch does; "shift" moves the crop inside, and shrinks it if the picture is too small, as
        Silent-Face-Anti-Spoofing does.
    resample: "warp" maps the bbox or the template exactly, to fractions of a pixel: bilinear, after averaging where the
        face is more than twice as large as the crop. The others cut whole pixels and resize them by OpenCV's "linear"
        or "area", or by Pillow's BILINEAR ("antialias").
    fit: for crops of whole pixels. "pad" keeps the ratio of the sides and fills the rest black; "stretch" does not.
    upright: for crops of whole pixels with outside="black". Turn the picture about the bbox until the eyes are level,
        as deepface does, if the detector gives landmarks or eyes.

    Raises ValueError for a combination that has no meaning.
    """

    width: int
    height: int
    template: Template | None = None
    margin: float = 0.0
    square: bool = False
    outside: Literal["black", "clip", "shift"] = "black"
    resample: Literal["warp", "linear", "area", "antialias"] = "warp"
    fit: Literal["stretch", "pad"] = "stretch"
    upright: bool = False

    @classmethod
    def arcface(cls, size: int = 112) -> "CropSpec":
        """Return the aligned crop that ArcFace and most newer recognizers take. size: width and height, px."""
        return cls(size, size, _scaled(_ARCFACE, size / 112))

    @classmethod
    def dlib(cls, size: int = 150) -> "CropSpec":
        """Return the aligned crop that dlib's face recognition network takes. size: width and height, px."""
        return cls(size, size, _scaled(_DLIB, size / 150))

    def __post_init__(self) -> None:
        if self.resample == "warp" and (self.outside != "black" or self.fit == "pad" or self.upright):
            raise ValueError("outside, fit and upright are for crops of whole pixels: choose a resample")
        if self.resample != "warp" and self.template is not None:
            raise ValueError('a crop with a template is warped: resample must be "warp"')
        if self.upright and self.outside != "black":
            raise ValueError("an upright crop has what is outside the picture black")


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """States how the pixels of a crop become a model's input: (pixel - mean) / std, as float32.

    colour: order of the channels; "grey" is one channel of ITU-R BT.601 luma. mean, std: in levels of 0 to 255, one
    value per channel, or one for all. layout: order of the axes: batch N, channels C, height H, width W.
    version: raise it whenever a model's crop or preprocessing changes: embeddings of two versions are not compared.
    """

    colour: Literal["RGB", "BGR", "grey"]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    layout: Literal["NCHW", "NHWC"] = "NCHW"
    version: int = 1


def _scaled(template: Template, factor: float) -> Template:
    one, two, three, four, five = ((x * factor, y * factor) for x, y in template)
    return one, two, three, four, five
