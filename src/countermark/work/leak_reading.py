"""Reading a leak against the master that it shows, until somebody is named or all is read."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from countermark.autograph.accuse import Tags, Verdict, accuse, opening, spend
from countermark.autograph.canvas import Homography, Luma
from countermark.autograph.code import Code
from countermark.autograph.reading import Reader, Reading
from countermark.autograph.registration import Piece, Registration, Shots, register
from countermark.autograph.timing import Line
from countermark.work.leak_sources import LeakFilm, MasterFilm

# Least agreement with which a piece of the leak counts as showing the master.
_AGREES = 0.6
# Agreement and movement together that no other place in the master could reach.
_BEYOND_DOUBT = 1.5
# Agreement that no better place could raise by much.
_EXACT = 0.95
_TRIED_PIECES, _TRIED_LINES = 3, 8
_OTHER_LINES = 2
_AS_GOOD = 0.1
_REACH = 0.3  # seconds that a line may be off
_MARGIN = 0.3
_LEAST_FRAMES = 2
# Looks at the evidence: after the opening, and each time there is so much more.
_GROWTH = 1.6
_PATIENCE = 1.25


@dataclass(frozen=True)
class Issued:
    """The tags that were issued for a master.

    Attributes:
        count: how many.
        tags: gives all of them anew at each call, each once.
    """

    count: int
    tags: Tags


@dataclass(frozen=True)
class Match:
    """A piece of the leak that was put on the master.

    Attributes:
        start: of the piece in the leak, seconds.
        stop: of the piece in the leak, seconds.
        homography: from its sketches to the canvas.
        line: from the leak's time to the master's.
        agreement: how well both agree.
        leak: the sketch of a frame in the middle.
        master: the master's frame that it shows, on the canvas.
        leak_time: of that frame.
        master_time: of that frame.
    """

    start: float
    stop: float
    homography: Homography
    line: Line
    agreement: float
    leak: Luma
    master: Luma
    leak_time: float
    master_time: float


class Inquiry:
    """One leak against one master.

    Attributes:
        matches: the pieces that were put on the master, in the order of reading.
        verdict: of the last look; None before the first.
        reader: what was read.
    """

    def __init__(
        self, film: LeakFilm, master: MasterFilm, key: bytes, issued: Issued, bound: float
    ) -> None:
        self.film, self.master, self.issued, self.bound = film, master, issued, bound
        self.code = Code(key, master.index.master, master.index.variants)
        self.reader = Reader()
        self.matches: list[Match] = []
        self.verdict: Verdict | None = None
        self.seconds_read = 0.0
        self._lines: list[Line] = []
        self._settled: dict[tuple[float, float], tuple[Piece, Registration]] = {}
        self._homography: Homography | None = None
        self._agreement = 0.0  # of the best piece
        self._looks = 0

    def settles(self, lines: Sequence[Line], rivals: int = 1) -> bool:
        """Try where the leak may lie; whether it is sure that it shows this master.

        Args:
            lines: likeliest first.
            rivals: how many of them pictures alone can hardly tell apart.
        """
        found: dict[tuple[float, float], tuple[Piece, Registration]] = {}
        for span, shots in zip(
            self.film.plan(), self.film.first_pieces(_TRIED_PIECES), strict=False
        ):
            best = self._best_placed(shots, lines)
            if best is None or best[1].agreement < _AGREES:
                continue
            if rivals > 1 and not found:
                best = self._most_marked(shots, best, lines[:rivals])
            found[span], lines = best, [best[1].line, *lines]
            if best[1].agreement > _EXACT:
                break
        if not found:
            return False
        self._take_as_settled(found, lines)
        return True

    def _best_placed(
        self, shots: Shots, lines: Sequence[Line]
    ) -> tuple[Piece, Registration] | None:
        best: tuple[Piece, Registration] | None = None
        for line in lines[:_TRIED_LINES]:
            placed = self._placed(shots, line, None)
            if placed and (best is None or _trust(placed[1]) > _trust(best[1])):
                best = placed
            if best and _trust(best[1]) > _BEYOND_DOUBT:
                break
        return best

    def _take_as_settled(
        self, found: dict[tuple[float, float], tuple[Piece, Registration]], lines: Sequence[Line]
    ) -> None:
        """Keep pieces that are laid as well as the best, to be read as they are."""
        _, best = max(found.values(), key=lambda placed: placed[1].agreement)
        self._lines, self._homography = list(lines), best.homography
        self._agreement = best.agreement
        self._settled = {span: placed for span, placed in found.items() if self._as_good(placed[1])}

    def _as_good(self, found: Registration) -> bool:
        """Whether a piece is laid about as well as the best was."""
        return found.agreement > self._agreement - _AS_GOOD

    def _most_marked(
        self, shots: Shots, best: tuple[Piece, Registration], lines: Sequence[Line]
    ) -> tuple[Piece, Registration]:
        """Which of a film's repeats a piece shows: the one whose marks are in it."""
        found, least = [best], _trust(best[1]) - _AS_GOOD
        for line in lines:
            placed = self._placed(shots, line, best[1].homography)
            if placed and _trust(placed[1]) > least:
                found.append(placed)
        return max(found, key=_presence)

    def run(self, seconds: float, on_progress: Callable[[float], None]) -> None:
        """Read and score until sure.

        Args:
            seconds: of the leak, at most so many are read.
            on_progress: told the part that is done.
        """
        plan = self.film.plan()
        wanted = self._opening()
        for number, (start, stop) in enumerate(plan):
            self._read(start, stop)
            self.seconds_read += stop - start
            on_progress((number + 1) / len(plan))
            last = number + 1 == len(plan) or self.seconds_read >= seconds
            if last or self._told() >= wanted:
                self._look()
                if self.settled() or last:
                    return
                wanted = max(wanted, self._told()) * _GROWTH

    def settled(self) -> bool:
        """Whether there is nothing to gain from reading on."""
        return self.verdict is not None and bool(self.verdict.accused) and not self.verdict.together

    def reading(self) -> Reading:
        """What has been read so far."""
        return self.reader.reading()

    def _opening(self) -> float:
        segments = np.arange(len(self.master.index))
        return opening(self.code, segments, self.issued.count, self.bound) * _PATIENCE

    def _told(self) -> float:
        """How many segments' worth of symbols were read."""
        return self.reader.clear()

    def _look(self) -> None:
        if not len(self.reader):
            return
        self._looks += 1
        bound = spend(self.bound, self._looks)
        evidence = self.reading().evidence()
        self.verdict = accuse(self.code, evidence, self.issued.tags, self.issued.count, bound)

    def _read(self, start: float, stop: float) -> None:
        shots = self.film.piece(start, stop)
        placed = self._settled.get((start, stop)) or self._followed(shots)
        if placed:
            piece, found = placed
            self.reader.take(piece, found)
            self.matches.append(_match(shots, piece, found, start, stop))
            self._agreement = max(self._agreement, found.agreement)
            if self._as_good(found):
                self._homography = found.homography

    def _followed(self, shots: Shots) -> tuple[Piece, Registration] | None:
        """Put a piece on the master where the others lie, else where else the leak may lie."""
        best: tuple[Piece, Registration] | None = None
        for line in self._lines[: 1 + _OTHER_LINES]:
            for homography in (self._homography, None):
                placed = self._placed(shots, line, homography)
                if placed and (best is None or placed[1].agreement > best[1].agreement):
                    best = placed
                if best and self._as_good(best[1]):
                    return best
            if best and best[1].agreement >= _AGREES:
                return best
        return None

    def _placed(
        self, shots: Shots, line: Line, homography: Homography | None
    ) -> tuple[Piece, Registration] | None:
        """Put a piece of the leak on the master along a line, with the place known or anew."""
        if len(shots.times) < _LEAST_FRAMES:
            return None
        ends = line.at(shots.times[[0, -1]])
        piece = self.master.piece(ends[0] - _REACH - _MARGIN, ends[1] + _REACH + _MARGIN)
        if piece is None or len(piece.times) < _LEAST_FRAMES:
            return None
        try:
            found = register(self.master.canvas, shots, piece, line, _REACH, homography)
        except (cv2.error, np.linalg.LinAlgError):
            return None  # pictures of a few pixels, or such that no equation has a solution
        return (piece, found) if found else None


def _presence(placed: tuple[Piece, Registration]) -> float:
    """How much mark there is, in whichever variant."""
    reader = Reader()
    reader.take(*placed)
    return reader.reading().told()


def _trust(found: Registration) -> float:
    return found.agreement + found.movement


def _match(shots: Shots, piece: Piece, found: Registration, start: float, stop: float) -> Match:
    middle = len(shots.times) // 2
    frame = int(found.frames[middle])
    return Match(
        start,
        stop,
        found.homography,
        found.line,
        found.agreement,
        shots.sketches[middle],
        piece.drawn[frame],
        float(shots.times[middle]),
        float(piece.times[frame]),
    )
