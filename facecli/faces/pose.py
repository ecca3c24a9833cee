"""Head pose from five landmarks: a rigid face of average shape, seen from afar, is turned until it fits them.

Scaled orthographic projection: D. DeMenthon and L. Davis, "Model-based object pose in 25 lines of code", IJCV 1995.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facecli.types import FloatArray

# An adult face in mm: x to the image's right, y down, z away from the camera; the tip of the nose is the origin.
# Eyes, nose and mouth corners are the means of MTCNN's landmarks in upright faces of LFW (benchmarks/dlib_template.py),
# scaled so that the pupils are 63 mm apart (the mean of ANSUR II, men and women). The depths are rough: noses differ.
FACE_MM = np.array(
    [[-31.5, -37.2, 32.0], [31.5, -37.2, 32.0], [0.0, 0.0, 0.0], [-27.8, 31.8, 27.0], [27.8, 31.8, 27.0]], np.float64
)
_SPREAD = FACE_MM - FACE_MM.mean(0)
_FIT = np.linalg.pinv(_SPREAD)  # (3, 5)


@dataclass(frozen=True, slots=True)
class Pose:
    """A head pose in degrees; each angle is 0 for an upright face that looks at the camera.

    yaw: positive to the image's right. pitch: positive upwards. roll: positive clockwise, as the viewer sees it.
    """

    yaw: float
    pitch: float
    roll: float


def estimate(landmarks: FloatArray) -> list[Pose | None]:
    """Return the pose of each face, None for one whose landmarks lie on a line.

    landmarks: (N, 5, 2) px, image-left first.

    The affine map that takes the average face onto the landmarks, by least squares; then the rotation nearest to it.
    """
    return [_pose(points.astype(np.float64)) for points in landmarks]


def _pose(points: NDArray[np.float64]) -> Pose | None:
    affine = (_FIT @ (points - points.mean(0))).T  # (2, 3), px per mm
    left, sizes, right = np.linalg.svd(affine, full_matrices=False)
    if not sizes[1] > 1e-6 * sizes[0]:  # on one line, or in one place
        return None
    across, down = left @ right
    into = np.cross(across, down)
    # In-plane rotation is applied last (R = roll, then yaw, then pitch of the axes), so turning the picture turns only
    # the roll. The nose points to -z: a turn to the image's right is negative about y, looking up negative about x.
    yaw = math.degrees(math.asin(float(np.clip(into[0], -1, 1))))
    pitch = -math.degrees(math.atan2(float(into[1]), float(into[2])))
    roll = math.degrees(math.atan2(float(down[0]), float(across[0])))
    return Pose(yaw, pitch, roll)
