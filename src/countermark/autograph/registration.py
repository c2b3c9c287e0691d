"""Putting a piece of a leak on its master: which frame of it each frame shows, and where.

Time and place are found in turn: keypoints of a few frames at the guessed times place the picture,
the whole piece then times it, exact pairs refine the place, and the refined place the time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from countermark.autograph.canvas import Canvas, Chroma, Grid, Homography, Luma
from countermark.autograph.placement import Moments, find, refine
from countermark.autograph.timing import Guess, Line, Seconds, follow, likeness

_SHOWN = 6
_REFINED = 8
# Seconds that a line which has been followed once may still be off.
_CLOSE = 0.15
_LEAST_LIKENESS = 0.3


@dataclass(frozen=True)
class Piece:
    """Some consecutive frames of a master.

    Attributes:
        times: seconds since the master's first frame, ascending, shape (m,).
        segments: which segment each belongs to, shape (m,).
        drawn: the mean of the variants on the canvas, m of them.
        means: the mean of the variants on the grid, shape (m, rows, columns).
        deviations: of each variant from the mean, shape (m, K, rows, columns).
        chroma_means: likewise of both chroma planes, on their grid.
        chroma_deviations: likewise.
    """

    times: Seconds
    segments: NDArray[np.int64]
    drawn: Sequence[Luma]
    means: NDArray[np.float32]
    deviations: NDArray[np.float32]
    chroma_means: NDArray[np.float32]
    chroma_deviations: NDArray[np.float32]


@dataclass(frozen=True)
class Shots:
    """Some consecutive frames of a leak.

    Attributes:
        times: seconds since the leak's first frame, ascending, shape (n,).
        sketches: all of one size, n of them.
        area: 255 where a sketch shows the picture, 0 in its bars.
        chroma: sketches of chroma, n of them; none if the leak has no colours.
    """

    times: Seconds
    sketches: Sequence[Luma]
    area: Luma
    chroma: Sequence[Chroma] = ()


class Laid(NamedTuple):
    """A leak's frames on a grid of the master's.

    Attributes:
        frames: n of them, shape (n, rows, columns).
        covered: cells that they cover.
    """

    frames: NDArray[np.float32]
    covered: Grid


@dataclass(frozen=True)
class Registration:
    """Where a piece of a leak lies in its master.

    Attributes:
        homography: from a sketch of the leak to the canvas.
        line: from the leak's time to the master's.
        frames: which frame of the piece of the master each frame shows, shape (n,).
        likeness: how much it resembles it, -1 to 1, shape (n,).
        motion: how much what moves resembles it, likewise; 0 where nothing does.
        laid: the leak's frames on the grid, shape (n, rows, columns).
        covered: cells that the leak covers.
    """

    homography: Homography
    line: Line
    frames: NDArray[np.int64]
    likeness: NDArray[np.float32]
    motion: NDArray[np.float32]
    laid: NDArray[np.float32]
    covered: Grid

    @property
    def agreement(self) -> float:
        """How well the leak and the master agree: the median likeness."""
        return float(np.median(self.likeness))

    @property
    def movement(self) -> float:
        """How well what moves agrees: the mean over the frames."""
        return float(self.motion.mean())


def register(
    canvas: Canvas,
    shots: Shots,
    piece: Piece,
    guess: Guess,
    homography: Homography | None = None,
) -> Registration | None:
    """Put a piece of a leak on a piece of a master.

    Args:
        canvas: of the master.
        shots: of the leak, two frames at least.
        piece: of the master; reaches around what the leak may show.
        guess: of the time.
        homography: the place, if it is known from other pieces, else None.

    Returns:
        None if the pictures have too little in common to place them.
    """
    if homography is None:
        placed = _placed(canvas, shots, piece, guess)
    else:
        placed = _timed(canvas, shots, piece, guess, homography)
    if placed is None:
        return None
    refined, line = _refined(shots, piece, placed)
    exact = _timed(canvas, shots, piece, Guess(line, _CLOSE, guess.stray), refined)
    return max(placed, exact, key=lambda found: found.agreement + found.movement)


def laid_chroma(canvas: Canvas, shots: Shots, found: Registration) -> Laid | None:
    """A leak's chroma where its luma lies; None if it has none."""
    if not shots.chroma:
        return None
    shape = shots.sketches[0].shape
    frames = [canvas.lay_chroma(one, shape[:2], found.homography) for one in shots.chroma]
    return Laid(np.stack(frames), canvas.covered_chroma(found.covered))


def _placed(canvas: Canvas, shots: Shots, piece: Piece, guess: Guess) -> Registration | None:
    """Place by keypoints; twice, as frames of the wrong moment shift a picture that pans."""
    shown = _spread(len(shots.times), _SHOWN)
    wanted = guess.line.at(shots.times[shown])
    frames = np.abs(piece.times[None] - wanted[:, None]).argmin(axis=1)
    best = None
    for _ in range(2):
        pairs = [shots.sketches[i] for i in shown], [piece.drawn[i] for i in frames]
        fit = find(*pairs)
        if fit is None:
            return best
        found = _timed(canvas, shots, piece, guess, fit.homography)
        if best is None or found.agreement > best.agreement:
            best = found
        guess, frames = Guess(best.line, _CLOSE, guess.stray), best.frames[shown]
    return best


def _spread(count: int, wanted: int) -> NDArray[np.int64]:
    """Indices spread over a row, its ends apart."""
    inset = min(count * 0.08, count / 2 - 0.5)
    return np.unique(np.rint(np.linspace(inset, count - 1 - inset, wanted)).astype(np.int64))


def _timed(
    canvas: Canvas,
    shots: Shots,
    piece: Piece,
    guess: Guess,
    homography: Homography,
) -> Registration:
    covered = canvas.covered(shots.area, homography)
    laid = np.stack([canvas.cells(canvas.lay(one, homography)) for one in shots.sketches])
    similar = likeness(laid, piece.means, covered)
    line, frames = follow(similar, shots.times, piece.times, guess)
    shown = np.arange(len(frames)), frames
    whole, moving = similar.whole[shown], similar.moving[shown]
    return Registration(homography, line, frames, whole, moving, laid, covered)


def _refined(shots: Shots, piece: Piece, found: Registration) -> tuple[Homography, Line]:
    chosen = _spread(len(shots.times), _REFINED)
    sound = [i for i in chosen if found.likeness[i] > _LEAST_LIKENESS]
    if not sound:
        return found.homography, found.line
    shown = piece.times[found.frames[sound]]
    moments = Moments(piece.drawn, piece.times, shown)
    refined, shift = refine(
        [shots.sketches[i] for i in sound], shots.area, moments, found.homography
    )
    return refined, Line(found.line.rate, found.line.offset + shift)
