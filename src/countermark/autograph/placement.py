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

from countermark.autograph.canvas import Grid, Homography, Luma

Points = NDArray[np.float64]

_KEYPOINTS = 1500
# Low, for flat and dark scenes; the consensus bears the clutter.
_CONTRAST = 0.01
_RATIO = 0.8
_SOFT = 1.5
# Pixels of the canvas within which a match agrees.
_TOLERANCE = 2.0
_LEAST_MATCHES = 8
_STEPS = 12
_STILL = 0.01
_LEVELS = (4, 2)
_EVEN = 6.0
_FLAT = 1e-9
# Seconds: how far a step and all steps may shift the time; and what damps it where nothing moves.
_LEAP, _LATEST, _CALM = 0.08, 0.5, 1.0
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
        The better of the upright and the mirrored fit; None if neither is plausible, not even
        among pictures that were softened: in flat ones, noise makes more keypoints than they have.
    """
    plain = _find(leaks, masters)
    return plain or _find([_soft(one) for one in leaks], [_soft(one) for one in masters])


def _soft(picture: Luma) -> Luma:
    return cv2.GaussianBlur(picture, (0, 0), _SOFT).astype(np.uint8, copy=False)


def _find(leaks: Sequence[Luma], masters: Sequence[Luma]) -> Fit | None:
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


@dataclass(frozen=True)
class Moments:
    """When a master shows what some frames of a leak show, as far as it is known.

    Attributes:
        drawn: the master's frames on the canvas, m of them.
        times: of those frames, seconds, ascending, shape (m,).
        shown: the master's time for each frame of the leak, shape (n,).
    """

    drawn: Sequence[Luma]
    times: NDArray[np.float64]
    shown: NDArray[np.float64]


def refine(
    leaks: Sequence[Luma], area: Luma, moments: Moments, homography: Homography
) -> tuple[Homography, float]:
    """Make a homography exact, and the time with it, from coarse pictures to finer ones.

    Place and time are sought together: where a camera pans, an error of one hides in the other.

    Args:
        leaks: sketches of the leak, all of one size, n of them.
        area: 255 where a sketch shows the picture, 0 in its bars.
        moments: what the master shows then.
        homography: near the truth.

    Returns:
        The homography, and by how many seconds the master's times are later than supposed. Those
        given and 0 if nothing sensible is found.
    """
    found, shift = homography, 0.0
    for level in _LEVELS:
        descent = _Descent(leaks, area, moments, level)
        found, shift = descent.run(found, shift)
        if not np.isfinite(found).all() or abs(shift) > _LATEST:
            return homography, 0.0
    return found, shift


def _even(picture: Luma) -> Grid:
    """A picture with its local mean at 0 and its local contrast near 1."""
    wide = picture.astype(np.float32)
    wide -= cv2.GaussianBlur(wide, (0, 0), _EVEN)
    contrast = np.sqrt(cv2.GaussianBlur(wide * wide, (0, 0), _EVEN) + np.float32(9))
    return np.asarray(wide / contrast, np.float32)


class _Descent:
    """Gauss-Newton at one size of the pictures: the canvas divided by the level."""

    def __init__(self, leaks: Sequence[Luma], area: Luma, moments: Moments, level: int) -> None:
        self._moments, self._level = moments, level
        height, width = moments.drawn[0].shape
        self._shape = max(1, height // level), max(1, width // level)
        scale = self._shape[0] / height * max(1.0, height / leaks[0].shape[0])
        self._shrunk = scale
        self._sources = [self._layers(picture, scale) for picture in leaks]
        self._area = self._inner(area, self._sources[0].shape[:2])
        self._rows, self._columns = np.mgrid[0 : self._shape[0], 0 : self._shape[1]].astype(float)
        self._evened: dict[int, Grid] = {}

    def run(self, homography: Homography, shift: float) -> tuple[Homography, float]:
        """Descend from a homography between the full sizes, and a shift in time."""
        source = _halved(self._shrunk)
        target = _halved(self._shape[0] / self._moments.drawn[0].shape[0])
        inverse = np.linalg.inv(target @ homography @ np.linalg.inv(source))
        inverse /= inverse[2, 2]
        for _ in range(_STEPS):
            step, later = self._step(inverse, shift)
            inverse, shift = inverse + step, shift + later
            if not np.isfinite(inverse).all() or abs(np.linalg.det(inverse)) < _FLAT:
                return np.full((3, 3), np.nan), 0.0
            moved = np.abs(step) @ [self._shape[1], self._shape[0], 1]
            if moved[:2].max() < _STILL:
                break
        found = np.linalg.inv(target) @ np.linalg.inv(inverse) @ source
        return np.asarray(found / found[2, 2], np.float64), shift

    @staticmethod
    def _inner(area: Luma, shape: tuple[int, int]) -> Luma:
        """Where bars are too far to weigh on local means."""
        small = cv2.resize(area, shape[::-1], interpolation=cv2.INTER_NEAREST)
        reach = 2 * round(1.5 * _EVEN) + 1
        inner = cv2.erode(small, np.ones((reach, reach)), borderValue=255)
        return inner.astype(np.uint8, copy=False)

    @staticmethod
    def _layers(picture: Luma, scale: float) -> Grid:
        """An evened picture of the leak and its slopes across and down, shape (…, 3)."""
        small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        even = _even(small.astype(np.uint8, copy=False))
        slopes = [cv2.Sobel(even, cv2.CV_32F, *way, scale=1 / 8) for way in ((1, 0), (0, 1))]
        return np.stack([even, *slopes], axis=2)

    def _master(self, shown: float) -> tuple[Grid, Grid]:
        """The master at a time, and its change in a second."""
        times = self._moments.times
        frame = int(np.clip(np.abs(times - shown).argmin(), 1, max(len(times) - 2, 1)))
        before, after = max(frame - 1, 0), min(frame + 1, len(times) - 1)
        apart = max(float(times[after] - times[before]), 1e-3)
        change = (self._frame(after) - self._frame(before)) / np.float32(apart)
        frame = min(frame, len(times) - 1)
        return self._frame(frame) + change * np.float32(shown - times[frame]), change

    def _frame(self, number: int) -> Grid:
        if number not in self._evened:
            size = self._shape[::-1]
            small = cv2.resize(self._moments.drawn[number], size, interpolation=cv2.INTER_AREA)
            self._evened[number] = _even(small.astype(np.uint8, copy=False))
        return self._evened[number]

    def _step(self, inverse: Homography, shift: float) -> tuple[Homography, float]:
        """One step of the map from canvas to sketch, and of the time."""
        rows, columns = self._rows, self._columns
        depth = inverse[2, 0] * columns + inverse[2, 1] * rows + 1
        across = (inverse[0, 0] * columns + inverse[0, 1] * rows + inverse[0, 2]) / depth
        down = (inverse[1, 0] * columns + inverse[1, 1] * rows + inverse[1, 2]) / depth
        height, width = self._sources[0].shape[:2]
        inside = (across > 1) & (down > 1) & (across < width - 2) & (down < height - 2)
        where = across.astype(np.float32), down.astype(np.float32)
        inside &= cv2.remap(self._area, *where, cv2.INTER_NEAREST) > 0
        place = [part[inside] for part in (columns, rows, depth, across, down)]
        normal, right = np.zeros((9, 9)), np.zeros(9)
        for source, shown in zip(self._sources, self._moments.shown, strict=True):
            seen = cv2.remap(source, *where, cv2.INTER_LINEAR)[inside]
            target, change = (grid[inside] for grid in self._master(float(shown) + shift))
            _add_equations(normal, right, place, seen, target, change)
        normal[8, 8] += _CALM * len(self._sources)
        solved = np.linalg.lstsq(normal, right, rcond=1e-12)[0]
        later = float(np.clip(solved[8], -_LEAP, _LEAP))
        return np.append(solved[:8], 0.0).reshape(3, 3), later


def _halved(scale: float) -> Homography:
    """Positions in a picture made smaller by area: pixels' middles stay where they are."""
    move = (scale - 1) / 2
    return np.array([[scale, 0, move], [0, scale, move], [0, 0, 1.0]])


def _add_equations(
    normal: Points, right: Points, place: Sequence[Points], seen: Grid, target: Grid, change: Grid
) -> None:
    columns, rows, depth, across, down = place
    value, slope_x, slope_y = (seen[:, layer].astype(np.float64) for layer in range(3))
    gain = value @ target / (target @ target + 1e-9)
    miss = gain * target - value
    weight = 1 / (1 + (miss / _OUTLYING) ** 2)
    along = -(slope_x * across + slope_y * down)
    parts = [slope_x * columns, slope_x * rows, slope_x]
    parts += [slope_y * columns, slope_y * rows, slope_y, along * columns, along * rows]
    slopes = np.stack([*parts, -gain * change * depth]) / depth
    weighted = slopes * weight
    normal += weighted @ slopes.T
    right += weighted @ miss
