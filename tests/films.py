"""A seeded generator of films whose faces are known: portraits that move, cross, hide behind pillars, come and go.

The truth has each face's box in each frame, who it is, and how much of it can be seen. Portraits move by no more than
SPEED of their width in a frame. One person is one photograph, so faces agree better here than in life.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

SPEED = 0.15  # face widths per frame
AROUND = 0.55  # of the box's sides that a portrait has around it
SEEN = 0.5  # a face of which less can be seen is one that nobody has to find


@dataclass(frozen=True)
class Portrait:
    """A picture of one face. pixels: (H, W, 3) uint8 RGB. bbox: (4,) xyxy px."""

    pixels: np.ndarray
    bbox: np.ndarray

    def patch(self, width: float) -> tuple[np.ndarray, np.ndarray]:
        """The head (h, w, 3) float32 with a face `width` px wide, and how much it covers, (h, w, 1)."""
        sides = self.bbox[2:] - self.bbox[:2]
        x1, y1 = np.maximum(self.bbox[:2] - AROUND * sides, 0).astype(int)
        x2, y2 = np.minimum(self.bbox[2:] + AROUND * sides, self.pixels.shape[1::-1]).astype(int)
        scale = width / sides[0]
        size = max(2, round((x2 - x1) * scale)), max(2, round((y2 - y1) * scale))
        head = cv2.resize(self.pixels[y1:y2, x1:x2], size, interpolation=cv2.INTER_AREA).astype(np.float32)
        y, x = np.mgrid[0 : size[1], 0 : size[0]].astype(np.float32)
        away = np.hypot((x - size[0] / 2) / (size[0] / 2), (y - size[1] / 2) / (size[1] / 2))
        return head, np.clip((1 - away) * 8, 0, 1)[..., None]


@dataclass(frozen=True)
class Level:
    """How hard a film is.

    pillars: to hide behind. widths: of faces, px. haste: part of SPEED. noise: of pixels. shake: of the camera, px.
    light: part by which the light falls and rises again, once through the film. blur: part of a frame's time in which
    the shutter is open, and all that moves is smeared.
    """

    pillars: int = 0
    widths: tuple[float, float] = (36, 80)
    haste: float = 0.5
    noise: float = 2.0
    shake: float = 0.0
    light: float = 0.0
    blur: float = 0.0


EASY = Level(haste=0.3)
PLAUSIBLE = Level(pillars=2, haste=0.5)
HARD = Level(pillars=2, haste=1.0, noise=4.0, shake=1.5)
DIM = Level(pillars=2, haste=1.0, noise=6.0, shake=1.5, light=0.7, blur=1.0)


@dataclass(frozen=True)
class Film:
    """A film to draw: its portraits, seed, level, size (width, height) in px, and number of frames."""

    portraits: Sequence[Portrait]
    seed: int = 0
    level: Level = PLAUSIBLE
    size: tuple[int, int] = (640, 360)
    count: int = 120

    def frames(self) -> Iterator[tuple[np.ndarray, list[tuple[int, np.ndarray, float]]]]:
        """Yield each frame (H, W, 3) uint8 RGB with its faces: person, box (4,) xyxy px, and the part that is seen."""
        rng = np.random.default_rng(self.seed)
        width, height = self.size
        ground = cv2.resize(
            rng.uniform(60, 190, (9, 16, 3)).astype(np.float32), self.size, interpolation=cv2.INTER_CUBIC
        )
        people = [self._path(rng) for _ in self.portraits]
        pillars = [(int(x), int(rng.integers(40, 70))) for x in rng.uniform(0.2, 0.8, self.level.pillars) * width]
        for time in range(self.count):
            canvas, owner = ground.copy(), np.full((height, width), -1)
            boxes = {}
            for person, (portrait, path) in enumerate(zip(self.portraits, people, strict=True)):
                if path["from"] <= time < path["to"]:
                    place = path["place"][time]
                    moved = (place - path["place"][max(time - 1, path["from"])])[:2] * self.level.blur
                    boxes[person] = _paste(canvas, owner, portrait, person, place, moved)
            for left, wide in pillars:
                canvas[:, left : left + wide] = (90, 80, 70)
                owner[:, left : left + wide] = -1
            if self.level.shake:
                canvas = _shaken(canvas, shift := rng.normal(0, self.level.shake, 2))
                boxes = {person: (box + np.tile(shift, 2), area) for person, (box, area) in boxes.items()}
            canvas *= 1 - self.level.light * np.sin(np.pi * time / self.count) ** 2
            canvas += rng.normal(0, self.level.noise, canvas.shape).astype(np.float32)
            faces = [(person, box, float((owner == person).sum()) / area) for person, (box, area) in boxes.items()]
            yield canvas.clip(0, 255).astype(np.uint8), faces

    def _path(self, rng: np.random.Generator) -> dict[str, object]:
        """Return when a person is there, and the place in each frame: centre x, centre y, width of the face, px."""
        time = np.arange(self.count)
        width = rng.uniform(*self.level.widths)
        place = []
        for side in self.size:
            low, high = 0.5 * width, side - 0.5 * width
            waves = sum(
                rng.uniform(0.4, 1) * np.sin(2 * np.pi * (rng.uniform(0.5, 1.5) * time / self.count + rng.random()))
                for _ in range(2)
            )
            steps = np.diff(waves, prepend=waves[0]) * side / 3
            fastest = SPEED * self.level.haste * width
            steps = np.clip(steps, -fastest, fastest)
            start = rng.uniform(low, high)
            place.append(_reflected(start + np.cumsum(steps), low, high))
        sizes = width * (1 + 0.15 * np.sin(2 * np.pi * time / self.count + rng.uniform(0, 6)))
        late, early = rng.integers(0, self.count // 4, 2) * (rng.random(2) < 0.5)
        return {"from": int(late), "to": self.count - int(early), "place": np.stack([*place, sizes], axis=1)}

    def write(self, path: Path, truth: Path, rate: float = 25) -> None:
        """Write the film, without sound, and its truth as MOTChallenge text."""
        from facecli.film.writing import FilmWriter

        film = FilmWriter(path, "mp4", self.size, rate, "mpeg4")
        lines = []
        for number, (pixels, faces) in enumerate(self.frames()):
            film.write(pixels, number / rate)
            for person, (x1, y1, x2, y2), seen in faces:
                counts = int(seen >= SEEN)
                place = f"{x1:.2f},{y1:.2f},{x2 - x1:.2f},{y2 - y1:.2f}"
                lines.append(f"{number + 1},{person + 1},{place},{counts},-1,{seen:.3f},-1\n")
        film.finish()
        truth.write_text("".join(lines))


def portraits_of(pictures: Sequence[np.ndarray]) -> list[Portrait]:
    """Return pictures with the box of their largest face, as the default detector sees it."""
    from facecli import Faces

    found = [(pixels, Faces().detect(pixels, face="largest").faces) for pixels in pictures]
    return [Portrait(pixels, faces[0].bbox) for pixels, faces in found if faces]


def door(examples: Path, folder: Path) -> tuple[Path, Path]:
    """Write a film of Eileen Collins and Grace Hopper, 30 frames, and its truth; return both."""
    pictures = [cv2.imread(str(examples / name))[:, :, ::-1].copy() for name in ("collins.jpg", "hopper.jpg")]
    film = Film(portraits_of(pictures), seed=4, level=Level(haste=0.3, widths=(60, 80)), size=(480, 270), count=30)
    film.write(folder / "door.mp4", folder / "truth.txt")
    return folder / "door.mp4", folder / "truth.txt"


def _paste(canvas, owner, portrait, person, place, moved):
    """Draw a head that has moved by some px while the shutter was open.

    Return the face's box, and how many pixels the face covers of the frame if nothing hides it.
    """
    centre_x, centre_y, width = place
    head, cover = portrait.patch(width)
    if np.hypot(*moved) >= 1:
        head = _smeared(head, moved)
    sides = portrait.bbox[2:] - portrait.bbox[:2]
    scale = width / sides[0]
    box_sides = sides * scale
    around = np.minimum(AROUND * sides, portrait.bbox[:2]) * scale
    left, top = round(centre_x - box_sides[0] / 2 - around[0]), round(centre_y - box_sides[1] / 2 - around[1])
    x1, y1 = max(left, 0), max(top, 0)
    x2, y2 = min(left + head.shape[1], canvas.shape[1]), min(top + head.shape[0], canvas.shape[0])
    part = slice(y1 - top, max(y2 - top, y1 - top)), slice(x1 - left, max(x2 - left, x1 - left))
    target = slice(y1, max(y2, y1)), slice(x1, max(x2, x1))
    canvas[target] = canvas[target] * (1 - cover[part]) + head[part] * cover[part]
    box = np.array([left + around[0], top + around[1], left + around[0] + box_sides[0], top + around[1] + box_sides[1]])
    inner = np.zeros(owner.shape, bool)
    rows, columns = (
        slice(max(round(box[1]), 0), max(round(box[3]), 0)),
        slice(max(round(box[0]), 0), max(round(box[2]), 0)),
    )
    inner[rows, columns] = True
    hides = np.zeros(owner.shape, bool)
    hides[target] = cover[part][..., 0] > 0.5
    owner[hides] = -1
    owner[inner & hides] = person
    return box, max(float(np.prod(box_sides)) * 0.95, 1.0)


def _smeared(head: np.ndarray, moved: np.ndarray) -> np.ndarray:
    """A head as a shutter sees it that is open while the head moves by some px."""
    steps = int(np.ceil(np.hypot(*moved))) + 1
    reach = int(np.ceil(np.abs(moved).max() / 2))
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.float32)
    for part in np.linspace(-0.5, 0.5, steps):
        x, y = (reach + np.round(part * moved)).astype(int)
        kernel[y, x] += 1 / steps
    return cv2.filter2D(head, -1, kernel, borderType=cv2.BORDER_REPLICATE)


def _reflected(places: np.ndarray, low: float, high: float) -> np.ndarray:
    """Return places that turn round at the borders instead of leaving them."""
    span = max(high - low, 1.0)
    return low + span - np.abs((places - low) % (2 * span) - span)


def _shaken(canvas: np.ndarray, shift: np.ndarray) -> np.ndarray:
    matrix = np.array([[1, 0, shift[0]], [0, 1, shift[1]]], np.float32)
    return cv2.warpAffine(canvas, matrix, canvas.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)
