"""Laying a leak's picture on the master's: crop, letterbox, mirror, rotation, perspective at once.

Keypoints (Lowe, "Distinctive image features from scale-invariant keypoints", 2004) are matched
between sketches of the leak and of the master at several moments, of the leak also mirrored; a
homography is fitted to all matches by consensus (Fischler and Bolles 1981; its marginalised form by
Barath, Matas and Noskova, "MAGSAC", 2019). Then all pixels refine it: Gauss-Newton on pictures
whose local mean and contrast are made alike (Lucas and Kanade 1981; Baker and Matthews,
"Lucas-Kanade 20 years on", 2004), with Cauchy weights, so that overlays do not pull.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from countermark.autograph.canvas import Canvas, Grid, Homography, Luma

Points = NDArray[np.float64]

_KEYPOINTS = 1500
# Low, for flat and dark scenes; the consensus bears the clutter.
_CONTRAST = 0.01
_RATIO = 0.8
# Pixels of the canvas within which a match agrees.
_TOLERANCE = 2.0
_LEAST_MATCHES = 8
_STEPS = 12
_STILL = 0.02
_OUTLYING = 0.5
# A picture this much smaller or larger, or more skewed, than the master's is a wrong fit.
_SCALES = (0.08, 12.0)


@dataclass(frozen=True)
class Fit:
    """A homography and what speaks for it.

    Attributes:
        homography: from sketch to canvas.
        matches: keypoints that agree with it.
    """

    homography: Homography
    matches: int


def find(leaks: Sequence[Luma], masters: Sequence[Luma]) -> Fit | None:
    """Lay sketches of a leak on frames of the master at the same moments.

    Args:
        leaks: sketches, all of one size.
        masters: the master's frames, drawn on the canvas.

    Returns:
        The better of the upright and the mirrored fit; None if neither is plausible.
    """
    finder = cv2.SIFT.create(_KEYPOINTS, contrastThreshold=_CONTRAST)
    known = [finder.detectAndCompute(picture, None) for picture in masters]
    fits = []
    for turn in (np.eye(3), _mirror(leaks[0].shape[1])):
        turned = [picture if turn[0, 0] > 0 else _flipped(picture) for picture in leaks]
        seen = [finder.detectAndCompute(picture, None) for picture in turned]
        pairs = [_matches(one, other) for one, other in zip(seen, known, strict=True)]
        source, target = (np.concatenate(side) for side in zip(*pairs, strict=True))
        if fit := _consensus(source, target):
            fits.append(Fit(fit.homography @ turn, fit.matches))
    return max(fits, key=lambda fit: fit.matches, default=None)


def _mirror(width: int) -> Homography:
    return np.array([[-1.0, 0, width - 1], [0, 1, 0], [0, 0, 1]])


def _flipped(picture: Luma) -> Luma:
    return np.ascontiguousarray(picture[:, ::-1])


def _matches(one: tuple, other: tuple) -> tuple[Points, Points]:  # type: ignore[type-arg]
    """Positions of keypoints that resemble each other and nothing else (Lowe's ratio)."""
    (places, features), (known_places, known_features) = one, other
    empty = np.empty((0, 2))
    if features is None or known_features is None or len(known_places) < 2:  # noqa: PLR2004 - two nearest
        return empty, empty
    nearest = cv2.BFMatcher().knnMatch(features, known_features, k=2)
    good = [best for best, next_ in nearest if best.distance < _RATIO * next_.distance]
    source = np.array([places[match.queryIdx].pt for match in good]).reshape(-1, 2)
    return source, np.array([known_places[match.trainIdx].pt for match in good]).reshape(-1, 2)


def _consensus(source: Points, target: Points) -> Fit | None:
    if len(source) < _LEAST_MATCHES:
        return None
    found, inside = cv2.findHomography(
        source, target, cv2.USAC_MAGSAC, _TOLERANCE, maxIters=5000, confidence=0.999
    )
    if found is None:
        return None
    homography = np.asarray(found, np.float64)
    return Fit(homography, int(inside.sum())) if plausible(homography, source) else None


def plausible(homography: Homography, places: Points) -> bool:
    """Whether a homography neither turns inside out nor shrinks or skews beyond use.

    Args:
        homography: to be checked.
        places: where in its source, shape (n, 2).
    """
    if not np.isfinite(homography).all():
        return False
    low, high = np.percentile(places, 5, axis=0), np.percentile(places, 95, axis=0)
    corners = np.array(
        [[low[0], low[1], 1], [high[0], low[1], 1], [low[0], high[1], 1], [*high, 1]]
    )
    depth = corners @ homography[2]
    if (depth * depth[0] <= 0).any():
        return False
    determinants = np.linalg.det(homography) / depth**3
    scales = np.sqrt(np.abs(determinants))
    return bool(_SCALES[0] < scales.min() and scales.max() < _SCALES[1])


def refine(
    canvas: Canvas, leaks: Sequence[Luma], masters: Sequence[Luma], homography: Homography
) -> Homography:
    """Make a homography exact.

    Args:
        canvas: of the master.
        leaks: sketches of the leak, all of one size.
        masters: the master's frames at those moments, drawn on the canvas.
        homography: near the truth, within a few pixels.
    """
    targets = [_even(picture, 6.0) for picture in masters]
    spread = 6.0 * max(1.0, leaks[0].shape[0] / canvas.shape[0])
    sources = [_Source(_even(picture, spread)) for picture in leaks]
    inverse: Homography = np.asarray(np.linalg.inv(homography), np.float64)
    inverse /= inverse[2, 2]
    rows, columns = np.mgrid[0 : canvas.shape[0], 0 : canvas.shape[1]].astype(np.float64)
    for _ in range(_STEPS):
        step = _step(inverse, sources, targets, rows, columns)
        inverse = inverse + step
        moved = np.abs(step) @ [canvas.shape[1], canvas.shape[0], 1]
        if not np.isfinite(inverse).all() or abs(np.linalg.det(inverse)) < 1e-9:  # noqa: PLR2004
            return homography
        if moved[:2].max() < _STILL:
            break
    return np.asarray(np.linalg.inv(inverse), np.float64)


def _even(picture: Luma, spread: float) -> Grid:
    """A picture with its local mean at 0 and its local contrast near 1."""
    wide = picture.astype(np.float32)
    wide -= cv2.GaussianBlur(wide, (0, 0), spread)
    contrast = np.sqrt(cv2.GaussianBlur(wide * wide, (0, 0), spread) + np.float32(9))
    return np.asarray(wide / contrast, np.float32)


class _Source:
    """An evened picture of the leak and its slopes."""

    def __init__(self, even: Grid) -> None:
        self.layers = cv2.merge(
            [even, *(cv2.Sobel(even, cv2.CV_32F, *way, scale=1 / 8) for way in ((1, 0), (0, 1)))]
        )

    def at(self, across: Grid, down: Grid) -> Grid:
        """Value and slopes at positions, shape (…, 3)."""
        return cv2.remap(self.layers, across, down, cv2.INTER_LINEAR).astype(np.float32, copy=False)


def _step(
    inverse: Homography,
    sources: Sequence[_Source],
    targets: Sequence[Grid],
    rows: Points,
    columns: Points,
) -> Homography:
    """One Gauss-Newton step of the map from canvas to sketch."""
    depth = inverse[2, 0] * columns + inverse[2, 1] * rows + 1
    across = (inverse[0, 0] * columns + inverse[0, 1] * rows + inverse[0, 2]) / depth
    down = (inverse[1, 0] * columns + inverse[1, 1] * rows + inverse[1, 2]) / depth
    height, width = sources[0].layers.shape[:2]
    inside = (across > 1) & (down > 1) & (across < width - 2) & (down < height - 2)
    place = [part[inside] for part in (columns, rows, depth, across, down)]
    normal, right = np.zeros((8, 8)), np.zeros(8)
    for source, target in zip(sources, targets, strict=True):
        seen = source.at(across.astype(np.float32), down.astype(np.float32))[inside]
        _add_equations(normal, right, place, seen, target[inside])
    solved = np.linalg.lstsq(normal, right, rcond=1e-12)[0]
    return np.append(solved, 0.0).reshape(3, 3)


def _add_equations(
    normal: Points, right: Points, place: Sequence[Points], seen: Grid, target: Grid
) -> None:
    columns, rows, depth, across, down = place
    value, slope_x, slope_y = (seen[:, layer].astype(np.float64) for layer in range(3))
    gain = value @ target / (target @ target + 1e-9)
    miss = gain * target - value
    weight = 1 / (1 + (miss / _OUTLYING) ** 2)
    along = -(slope_x * across + slope_y * down)
    parts = [slope_x * columns, slope_x * rows, slope_x]
    parts += [slope_y * columns, slope_y * rows, slope_y, along * columns, along * rows]
    slopes = np.stack(parts) / depth
    weighted = slopes * weight
    normal += weighted @ slopes.T
    right += weighted @ miss
