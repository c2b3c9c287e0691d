"""How much of the mark each part of a frame can hide, and where what is hidden outlasts a codec.

The eye misses small changes of brightness where the picture is textured or moves, and sees them
best in smooth, still, dark areas (contrast masking: Legge and Foley 1980; Weber's law). An encoder
of constant quality reckons alike: x264's mean square error at CRF 22 follows local activity and,
even closer, fine detail, above all such that changes from frame to frame, and XPSNR (Helmrich et
al. 2020) forgives in the same proportion. So what the mark costs is its power against that error.

It is laid where it lasts: an encoder that makes a leak small repeats what stands still, with the
marks of other segments, and codes anew what moves. At quarter size and CRF 30, a fixed camera's
leak showed 7 to 45 times as much of the mark where cars passed as elsewhere for the same cost.
"""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from countermark.autograph.pattern import Grid

Luma = NDArray[np.uint8]

# Luma below the first is as good as black and carries nothing; from the second on it carries all.
_DARK, _DIM = 20.0, 45.0
# Likewise at the top: highlights next to white are smooth and clip.
_BRIGHT, _WHITE = 215.0, 235.0
# Activity, in luma steps: below the first nothing is hidden, above the second something is.
_FLAT, _ROUGH = 0.2, 0.5
# Beyond this, more activity hides no more.
_BUSY = 12.0
# Movement, in luma steps between frames, that even quiet film has; and what is left of the
# encoder's error without any.
_ALIVE, _DEAD = 0.1, 0.1
# Contrast masking's exponent; Legge and Foley found 0.6 to 0.7.
_MASKING = 0.75
# Movement, in luma steps between frames, from which on the mark is laid as strongly as it may be,
# and the part of it below which it does not get weaker.
_SWIFT, _STILL = 8.0, 0.06
# What the encoder's error is made of, by non-negative least squares on four clips at CRF 22: parts
# of activity and of movement, which wear off where there is much of them, of fine detail, and of
# such that changes. Correlations of the logarithms with the true error are 0.92 to 0.96.
_OF_ACTIVITY, _OF_MOVEMENT, _OF_DETAIL, _OF_CHANGE = 0.17, 0.09, 0.77, 0.75
_WORN = 20.0
# Finer detail than this, in luma steps, is texture that an encoder predicts, not grain.
_GRAIN = 7.0
# A scene of which less than this part stirs is coded with so few bits that a mark's would weigh.
_LIVELY = 0.5
# Part of the mark that lasts in a usual segment, and how much less or more others are given.
_USUAL, _FAVOUR = 0.12, (0.8, 1.25)
# Where so much of a mark lasts as the first says, luma tells enough; where less than the second
# does, chroma tells as much as it may. But a picture of which only the first part is not flat takes
# so few bits that a tint's would weigh.
_TOLD, _FLATTISH = (0.3, 0.1), (0.3, 0.6)
# Part of what the eye misses at most that it must miss of a tint; and what chroma strays by, in
# steps, in a film without colours that was coded.
_LEAST_HIDDEN, _COLOURLESS = 0.05, 0.4
# Fine detail is looked at in one of so many frames.
_LOOKED_AT = 6
# Of more frames than these in a segment, every other one is judged, and speaks for the next, too.
_MANY = 30


class Rooms(NamedTuple):
    """What the frames of a segment can hide.

    Attributes:
        amplitude: relative strength that suits each cell, 0 to 1, shape (frames, rows, columns).
        weight: how much an error counts there against one elsewhere, likewise.
        error: mean of the weighted mean square error that a good encoder makes anyway; less in a
            scene that hardly stirs, more in one of which little moves.
        untold: how much is left for chroma to tell, from 0 where much moves or most is flat, to 1
            where little does.
        lively: how much stirs, from 0 for nothing to 1 for half of the scene and more.
    """

    amplitude: Grid
    weight: Grid
    error: float
    untold: float
    lively: float


def rooms_of(frames: Sequence[Luma], small: Sequence[Luma], shape: tuple[int, int]) -> Rooms:
    """Judge the frames of a segment together.

    What stays exactly the same is coded once, and so well that the error is a tenth of what it is
    where the least noise stirs; there any mark would show, and cost more bits than the picture. The
    less of a scene stirs, the less mark it gets elsewhere, too.

    Args:
        frames: whole, in the order of display.
        small: the same, `halved`.
        shape: rows and columns of the grid to judge by.
    """
    mean, activity, differs = _measured(small, shape)
    moved = np.minimum(differs, activity)
    weight: Grid = np.asarray(1 / (activity + 0.3), np.float32)
    stirs = differs.mean(axis=0)
    alive = np.clip(stirs / np.float32(_ALIVE), _DEAD, 1)
    lasts = np.clip(stirs / np.float32(_SWIFT), _STILL, 1)
    coarse = (_OF_ACTIVITY * activity + _OF_MOVEMENT * moved) / (1 + activity / _WORN)
    looked_at = range(len(frames) // (2 * _LOOKED_AT), len(frames), _LOOKED_AT)
    errors = [(coarse[n] + _fine_error(frames, n, shape)) * alive * weight[n] for n in looked_at]
    lively = min(1.0, float(alive.mean()) / _LIVELY)
    hidden = _amplitude(mean, np.asarray(activity + 0.25 * moved, np.float32))
    return Rooms(
        hidden * np.sqrt(alive * lasts),
        weight,
        float(np.mean(errors)) * lively * _favour(lasts),
        _rising(float(lasts.mean()), _TOLD) * _rising(_busy(hidden), _FLATTISH),
        lively,
    )


def _busy(hidden: Grid) -> float:
    """The part of the picture that hides a tint."""
    return float(np.mean(hidden > _LEAST_HIDDEN))


def _rising(value: float, between: tuple[float, float]) -> float:
    """From 0 at the first of two to 1 at the second."""
    none, all_ = between
    return float(np.clip((value - none) / (all_ - none), 0, 1))


def tintable(small: Sequence[Luma], shape: tuple[int, int], count: int) -> Grid:
    """The cells of which the eye misses a change of colour first: where luma is busy, and lit.

    Args:
        small: the frames of a segment, `halved`.
        shape: rows and columns.
        count: of cells, at most.

    Returns:
        1 for these, 0 for others.
    """
    middle = small[len(small) // 2]
    size = shape[1], shape[0]
    activity = _cells(cv2.absdiff(middle, cv2.blur(middle, (7, 7))), size)
    hidden = _amplitude(_cells(middle, size), activity).ravel()
    chosen = np.argsort(-hidden, kind="stable")[:count]
    cells = np.zeros_like(hidden)
    cells[chosen] = hidden[chosen] > _LEAST_HIDDEN
    return cells.reshape(shape)


def coloured(chroma: Sequence[Luma]) -> bool:
    """Whether a frame has any colours; on a film in black and white a tint would show."""
    return max(float(plane.std()) for plane in chroma) > _COLOURLESS


def _measured(small: Sequence[Luma], shape: tuple[int, int]) -> tuple[Grid, Grid, Grid]:
    """Brightness, activity, and by how much each frame differs from the one next to it."""
    size, count = (shape[1], shape[0]), len(small)
    step = 2 if count > _MANY else 1
    judged = range(0, count, step)
    smooth = (cv2.blur(small[n], (7, 7)) for n in judged)
    beside = (small[n - 1] if n else small[min(1, count - 1)] for n in judged)
    measures = (
        [_cells(small[n], size) for n in judged],
        [
            _cells(cv2.absdiff(small[n], other), size)
            for n, other in zip(judged, smooth, strict=True)
        ],
        [
            _cells(cv2.absdiff(small[n], other), size)
            for n, other in zip(judged, beside, strict=True)
        ],
    )
    mean, activity, differs = (np.repeat(one, step, axis=0)[:count] for one in measures)
    return mean, activity, differs


def _amplitude(mean: Grid, activity: Grid) -> Grid:
    """What the eye misses, relative to where it misses most."""
    rough = np.clip((activity - _FLAT) / (_ROUGH - _FLAT), 0, 1)
    seen = np.clip((mean - _DARK) / (_DIM - _DARK), 0, 1)
    clipped = np.clip((_WHITE - mean) / (_WHITE - _BRIGHT), 0, 1)
    masked = (np.minimum(activity, _BUSY) / _BUSY) ** _MASKING * rough * seen * clipped
    return np.asarray(masked, np.float32)


def _favour(lasts: Grid) -> float:
    """More for a segment of which little moves than for one that is read anyway."""
    least, most = _FAVOUR
    return float(np.clip(np.sqrt(_USUAL / lasts.mean()), least, most))


def _fine_error(frames: Sequence[Luma], number: int, shape: tuple[int, int]) -> Grid:
    """The part of the encoder's error that follows from detail too fine for halved frames."""
    frame, size = frames[number], (shape[1], shape[0])
    beside = frames[number - 1] if number else frames[min(1, len(frames) - 1)]
    detail = np.minimum(_cells(cv2.absdiff(frame, cv2.blur(frame, (3, 3))), size), _GRAIN)
    change = np.minimum(_cells(cv2.absdiff(frame, beside), size), detail)
    return np.asarray(_OF_DETAIL * detail + _OF_CHANGE * change, np.float32)


def halved(luma: Luma) -> Luma:
    """A frame at half its width and height."""
    height, width = luma.shape
    half = cv2.resize(luma, (max(1, width // 2), max(1, height // 2)), interpolation=cv2.INTER_AREA)
    return np.asarray(half, np.uint8)


def _cells(values: "cv2.typing.MatLike", size: tuple[int, int]) -> Grid:
    """Means over cells; large ones are halved first, which costs a fifth of doing it in one go."""
    whole = values.astype(np.float32)
    rows, columns = whole.shape[0] // 2, whole.shape[1] // 2
    if rows >= 2 * size[1] and columns >= 2 * size[0]:
        even = whole[: 2 * rows, : 2 * columns]
        half = cv2.resize(even, (columns, rows), interpolation=cv2.INTER_AREA)
        return np.asarray(cv2.resize(half, size, interpolation=cv2.INTER_AREA), np.float32)
    return np.asarray(cv2.resize(whole, size, interpolation=cv2.INTER_AREA), np.float32)
