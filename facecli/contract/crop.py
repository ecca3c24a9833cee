"""A model's input: the crop that facecli cuts out of a picture for it, and the numbers made of the crop's pixels."""

# Annotations are objects here, not texts: facecli.models checks a catalogue entry by the types of the fields.

from dataclasses import dataclass
from typing import Literal

Point = tuple[float, float]


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
    template: tuple[Point, Point, Point, Point, Point] | None = None
    margin: float = 0.0
    square: bool = False
    outside: Literal["black", "clip", "shift"] = "black"
    resample: Literal["warp", "linear", "area", "antialias"] = "warp"
    fit: Literal["stretch", "pad"] = "stretch"
    upright: bool = False

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
