"""TODO: facecli.contract.crop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class CropSpec:
    """How the host cuts a face for a model: aligned to five template points, or as a bbox with a margin.

    template: five (x, y) points in crop pixels, ordered as Detections.landmarks; None for a bbox crop.
    margin: for a bbox crop, the part of the bbox's width and height that is added on each side; below 0 it is cut off.
    square: for a bbox crop, grow the shorter side to the longer one first.
    outside: where a bbox crop reaches outside the picture, "black" fills it up; "clip" cuts off what is outside, as
        facenet-pytorch does; "shift" moves the crop inside, and shrinks it if the picture is too small, as
        Silent-Face-Anti-Spoofing does.
    resample: "warp" meets the bbox or the template to a fraction of a pixel: bilinear, averaging first what is more
        than twice as large. The others cut whole pixels and resize them by OpenCV's linear or area, or by Pillow's
        antialiased BILINEAR.
    fit: for whole pixels, "pad" keeps the ratio of the sides and fills up with black; "stretch" does not.
    upright: for whole pixels with "black", turn the picture about the bbox until the eyes are level, as deepface
        does, where the detector gives landmarks, or eyes.

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
    """How crop pixels become a model's input: (pixels in `colour` order - mean) / std, laid out as `layout`.

    mean and std have one value per channel, or one for all. `version` rises whenever any of this, or the crop,
    changes for a model, because embeddings made before and after may not be compared.
    """

    colour: Literal["RGB", "BGR", "grey"]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    layout: Literal["NCHW", "NHWC"] = "NCHW"
    version: int = 1
