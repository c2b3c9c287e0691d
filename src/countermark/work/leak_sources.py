"""A leak and its masters as tracing wants them: pieces found by time, drawn small."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from countermark.autograph.canvas import Canvas, Chroma, Grid, Luma, chroma_sketch, sketch
from countermark.autograph.finding import picture_area
from countermark.autograph.fingerprint import Seconds
from countermark.autograph.index import SpliceIndex
from countermark.autograph.registration import Piece, Shots
from countermark.autograph.report import Leak
from countermark.media.footage import Footage
from countermark.work.master_check import Splice

_HALF_A_TICK = 1e-4
# Seconds of a piece: long enough to find its place by, short enough to be held in memory.
_PIECE = 8.0
_BEYOND = 1.0  # files may run on after what they say
_LEAST_STEP = 1 / 16
_LONGEST = 6 * 3600.0


class MasterFilm:
    """A master's variants side by side; to be used in a `with` statement.

    Attributes:
        index: of the master.
        canvas: on which its frames are drawn.
        times: when each segment begins, and last the end; seconds since the first frame.
    """

    def __init__(self, blob: Path, index: SpliceIndex) -> None:
        self.index = index
        self.times = np.array(index.times) * (index.time_base[0] / index.time_base[1])
        self._stack = ExitStack()
        whole = [[variant] * len(index) for variant in range(index.variants)]
        files = [Splice(blob, index.size, index.starts, choice) for choice in whole]
        self._variants = [Footage(self._stack.enter_context(file)) for file in files]
        for variant in self._variants:
            self._stack.callback(variant.close)
        self.canvas = Canvas(self._variants[0].width, self._variants[0].height)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def piece(self, start: float, stop: float) -> Piece | None:
        """The whole segments that reach into a time; None if there are none.

        Args:
            start: seconds since the first frame.
            stop: seconds.
        """
        first = max(int(np.searchsorted(self.times, start, "right")) - 1, 0)
        last = min(int(np.searchsorted(self.times, stop, "left")), len(self.index))
        if first >= last:
            return None
        between = self.times[first] - _HALF_A_TICK, self.times[last] - _HALF_A_TICK
        both = zip(*(variant.piece(*between) for variant in self._variants), strict=False)
        times, drawn, cells, chroma = [], [], [], []
        for frames in both:
            pictures = [self.canvas.draw(frame.luma) for frame in frames]
            times.append(frames[0].time)
            drawn.append(np.rint(np.mean(pictures, axis=0)).astype(np.uint8))
            cells.append([self.canvas.cells(picture) for picture in pictures])
            chroma.append([self.canvas.chroma_cells(frame.chroma) for frame in frames])
        if not times:
            return None
        segments = np.searchsorted(self.times, np.array(times) + _HALF_A_TICK, "right") - 1
        return Piece(np.array(times), segments, drawn, *_apart(cells), *_apart(chroma))


def _apart(cells: Sequence[Sequence[Grid]]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The variants' mean, and their deviations from it."""
    stacked = np.array(cells, np.float32)
    means = stacked.mean(axis=1)
    return means, stacked - means[:, None]


class LeakFilm:
    """A leak, to be read in pieces.

    Attributes:
        duration: seconds, at most six hours; 0 if there is nothing to be seen.
    """

    def __init__(self, footage: Footage) -> None:
        self._footage = footage
        self._area: Luma | None = None
        self._kept: dict[tuple[float, float], Shots] = {}
        self.duration = min(footage.duration or self._measured(), _LONGEST)

    def facts(self) -> Leak:
        """What the file is, for the report."""
        film = self._footage
        rate = round(film.rate, 3) if film.rate else None
        return Leak(round(self.duration, 3), film.width, film.height, rate, film.codec)

    def plan(self) -> list[tuple[float, float]]:
        """The whole leak in pieces, (start, stop) in seconds, in an order that spreads them.

        The order is that of van der Corput's sequence (1935): wherever it is broken off, what was
        taken lies evenly over the leak.
        """
        count = max(1, round(self.duration / _PIECE))
        edges = np.linspace(0, self.duration + _BEYOND, count + 1)
        order = sorted(range(count), key=lambda number: _reversed_bits(number, count))
        return [(float(edges[number]), float(edges[number + 1])) for number in order]

    def first_pieces(self, count: int) -> list[Shots]:
        """The plan's first pieces; they are kept until `piece` takes them."""
        for span in self.plan()[:count]:
            if span not in self._kept:
                self._kept[span] = self.piece(*span)
        found = [self._kept[span] for span in self.plan()[:count]]
        if self._area is None:
            pictures = [one.sketches[i] for one in found if one.sketches for i in (0, -1)]
            middles = [one.sketches[len(one.sketches) // 2] for one in found if one.sketches]
            self._area = picture_area([*pictures, *middles]) if pictures else None
        return [self._shots(one.times, one.sketches, one.chroma) for one in found]

    def piece(self, start: float, stop: float) -> Shots:
        """Frames from one time to another, at most about 16 a second."""
        if kept := self._kept.pop((start, stop), None):
            return self._shots(kept.times, kept.sketches, kept.chroma)
        times: list[float] = []
        sketches, chroma = [], []
        for frame in self._footage.piece(start, stop):
            if not times or frame.time - times[-1] > _LEAST_STEP:
                times.append(frame.time)
                sketches.append(sketch(frame.luma))
                chroma.append(chroma_sketch(frame.chroma, sketches[-1].shape))
        return self._shots(np.array(times), sketches, chroma)

    def _shots(self, times: Seconds, sketches: Sequence[Luma], chroma: Sequence[Chroma]) -> Shots:
        whole = np.full(sketches[0].shape if sketches else (1, 1), 255, np.uint8)
        area = whole if self._area is None else self._area
        return Shots(times, sketches, area, chroma)

    def _measured(self) -> float:
        """Decode all of it, where the file does not say how long it is."""
        last = 0.0
        for frame in self._footage.piece(0.0, _LONGEST):
            last = frame.time
        return last


def _reversed_bits(number: int, count: int) -> int:
    width = max(1, (count - 1).bit_length())
    return int(f"{number:0{width}b}"[::-1], 2)
