"""Reading a leak against the master that it shows, until somebody is named or nobody can be."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest

import cv2
import numpy as np

from countermark.autograph.accuse import Tags, Verdict, accuse, expected, spend, sufficient
from countermark.autograph.canvas import Homography, Luma
from countermark.autograph.code import Code
from countermark.autograph.reading import Reader, Reading
from countermark.autograph.registration import Piece, Registration, Shots, laid_chroma, register
from countermark.autograph.timing import Guess, Line
from countermark.work.leak_course import Course
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
# Canvas pixels and seconds by which a piece may stray from where the others lie and still be there.
_SAME_PLACE, _SAME_TIME = 1.0, 0.08
# Parts of a leak that pieces are taken from in turn.
_PARTS = 8
# A look at the scores comes when there is so much more evidence than at the last.
_GROWTH = 2.0
# With a larger share of the leak unexplained by those who are named, others are sought.
_UNEXPLAINED = 0.15
# After somebody was named, others are sought in at most so many times as much evidence.
_FOR_OTHERS = 3.0
# Pieces after which those read speak for all; and how much more the rest may tell.
_SAMPLE, _BETTER = 24, 2.0


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
        self._course = Course([Line(1.0, 0.0)])
        self._settled: dict[tuple[float, float], tuple[Piece, Registration]] = {}
        self._homography: Homography | None = None
        self._agreement = 0.0  # of the best piece
        self._looks = 0
        self._named_at = np.inf  # evidence with which somebody was named first, nats

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
            found[span], lines = best, _nearest_first(lines, best[1].line, sum(span) / 2)
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
            placed = self._placed(shots, Guess(line, _REACH), None)
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
        self._course, self._homography = Course(lines), best.homography
        self._agreement = best.agreement
        self._settled = {span: placed for span, placed in found.items() if self._as_good(placed[1])}
        for (start, stop), (_, placed) in self._settled.items():
            self._course.learn((start + stop) / 2, placed.line)

    def _as_good(self, found: Registration) -> bool:
        """Whether a piece is laid about as well as the best was."""
        return found.agreement > self._agreement - _AS_GOOD

    def _most_marked(
        self, shots: Shots, best: tuple[Piece, Registration], lines: Sequence[Line]
    ) -> tuple[Piece, Registration]:
        """Which of a film's repeats a piece shows: the one whose marks are in it."""
        found, least = [best], _trust(best[1]) - _AS_GOOD
        for line in lines:
            placed = self._placed(shots, Guess(line, _REACH), best[1].homography)
            if placed and _trust(placed[1]) > least:
                found.append(placed)
        return max(found, key=lambda placed: self._presence(shots, *placed))

    def _presence(self, shots: Shots, piece: Piece, found: Registration) -> float:
        """How much mark there is, in whichever variant."""
        reader = Reader()
        reader.take(piece, found, laid_chroma(self.master.canvas, shots, found))
        return reader.reading().told()

    def run(self, seconds: float, on_progress: Callable[[float], None]) -> None:
        """Read and score until sure.

        Args:
            seconds: of the leak, at most so many are read.
            on_progress: told the part that is done.
        """
        pieces = len(self.film.plan())
        wanted = self._needed()
        for left in self.pieces():
            told = self._told()
            on_progress(max(1 - left / pieces, min(told / wanted, 0.95)))
            last = left == 0 or self.seconds_read >= seconds
            last = last or self._in_vain(told, pieces - left, pieces)
            if last or told >= wanted:
                self._look(told)
                if last or self._done(told, left):
                    return
                wanted = max(self._needed(), told * _GROWTH)

    def pieces(self) -> Iterator[int]:
        """Read piece after piece.

        Yields:
            After each, how many are left.
        """
        plan = self._plan()
        for left, (start, stop) in zip(reversed(range(len(plan))), plan, strict=True):
            self._read(start, stop)
            self.seconds_read += stop - start
            yield left

    def settled(self) -> bool:
        """Whether somebody is named who explains the leak well enough."""
        verdict = self.verdict
        return bool(verdict and verdict.accused and verdict.unexplained < _UNEXPLAINED)

    def reading(self) -> Reading:
        """What has been read so far."""
        return self.reader.reading()

    def _plan(self) -> list[tuple[float, float]]:
        """Pieces already laid, then from each part of the leak in turn the one that carries most.

        Any order would be right, as it depends on pictures alone.
        """
        spans = self.film.plan()
        end = max(stop for _, stop in spans)
        parts: dict[int, list[tuple[float, float]]] = {}
        for span in spans:
            if span not in self._settled:
                parts.setdefault(int(span[0] / end * _PARTS), []).append(span)
        for part in parts.values():
            part.sort(key=self._carried, reverse=True)
        turns = chain.from_iterable(zip_longest(*parts.values()))
        return [*self._settled, *(span for span in turns if span)]

    def _carried(self, span: tuple[float, float]) -> float:
        """About how much mark a piece of the leak carries, if it lies where the others do."""
        line = self._course.near(sum(span) / 2).line
        first, last = np.searchsorted(self.master.times, line.at(np.array(span)))
        carries = self.master.index.carries[max(first - 1, 0) : last]
        return float(np.sqrt(np.frombuffer(carries, np.uint8)).sum())

    def _needed(self) -> float:
        """Evidence, in nats, with which the next look should name a single leaker."""
        return sufficient(self.issued.count, spend(self.bound, self._looks + 1))

    def _told(self) -> float:
        """What a single leaker would by now have scored in most cases, nats.

        Likelihoods leave room for averaged copies and inserts, so a leaker who made the leak alone
        scores one or two deviations more than they promise.
        """
        if not len(self.reader):
            return 0.0
        mean, deviation = expected(self.code, self.reading().evidence())
        return mean + deviation

    def _in_vain(self, told: float, read: int, pieces: int) -> bool:
        """Whether even all of the leak would not do: it carries no mark, or hardly any.

        Args:
            told: what was, nats.
            read: how many pieces it took.
            pieces: how many there are.
        """
        return read >= _SAMPLE and told * pieces / read * _BETTER < self._needed()

    def _done(self, told: float, left: int) -> bool:
        """Whether there is nothing to gain from reading on.

        Args:
            told: what was, nats.
            left: pieces that were not read.
        """
        if self.settled():
            return True
        verdict = self.verdict
        if verdict is None:
            return False
        if verdict.accused:
            return told > self._named_at * _FOR_OTHERS
        read = len(self.film.plan()) - left
        if read < _SAMPLE:
            return False
        if verdict.outlook is None:
            return True
        return verdict.outlook.symbols * read > verdict.symbols * left * _BETTER

    def _look(self, told: float) -> None:
        if not len(self.reader):
            return
        self._looks += 1
        bound = spend(self.bound, self._looks)
        evidence = self.reading().evidence()
        verdict = accuse(self.code, evidence, self.issued.tags, self.issued.count, bound)
        # Each look has its own part of the bound, so whom an earlier one named stays named.
        if self.verdict is None or len(verdict.accused) >= len(self.verdict.accused):
            self.verdict = verdict
        if verdict.accused:
            self._named_at = min(self._named_at, told)

    def _read(self, start: float, stop: float) -> None:
        shots = self.film.piece(start, stop)
        placed = self._settled.get((start, stop)) or self._followed(shots, (start + stop) / 2)
        if placed:
            piece, found = placed
            chroma = laid_chroma(self.master.canvas, shots, found)
            self.reader.take(piece, found, chroma)
            self.matches.append(_match(shots, piece, found, start, stop))
            self._agreement = max(self._agreement, found.agreement)
            if self._as_good(found):
                self._homography = found.homography

    def _followed(self, shots: Shots, middle: float) -> tuple[Piece, Registration] | None:
        """Put a piece on the master where the others lie, else where else the leak may lie."""
        best: tuple[Piece, Registration] | None = None
        for guess, homography in self._guesses(middle):
            placed = self._placed(shots, guess, homography)
            if placed and (best is None or placed[1].agreement > best[1].agreement):
                best = placed
            if best and best[1].agreement >= _AGREES and self._fits(shots, best[1], middle):
                break
        if best is None or best[1].agreement < _AGREES:
            return None
        self._course.learn(middle, best[1].line)
        return best

    def _guesses(self, middle: float) -> Iterator[tuple[Guess, Homography | None]]:
        near = self._course.near(middle)
        yield near, self._homography
        yield near, None
        for guess in self._course.elsewhere(_OTHER_LINES):
            yield guess, self._homography

    def _fits(self, shots: Shots, found: Registration, middle: float) -> bool:
        """Whether a piece is laid well: as well as the best was, or just where others lie.

        Grain and flat pictures agree less than others however well they are laid.
        """
        if self._as_good(found):
            return True
        expected = self._course.near(middle).line.at(np.array([middle]))
        late = float(np.abs(found.line.at(np.array([middle])) - expected)[0])
        moved = _moved(shots.sketches[0].shape, found.homography, self._homography)
        return late < _SAME_TIME and moved < _SAME_PLACE

    def _placed(
        self, shots: Shots, guess: Guess, homography: Homography | None
    ) -> tuple[Piece, Registration] | None:
        """Put a piece of the leak on the master near a line, with the place known or anew."""
        if len(shots.times) < _LEAST_FRAMES:
            return None
        ends, margin = guess.line.at(shots.times[[0, -1]]), guess.reach + _MARGIN
        piece = self.master.piece(ends[0] - margin, ends[1] + margin)
        if piece is None or len(piece.times) < _LEAST_FRAMES:
            return None
        try:
            found = register(self.master.canvas, shots, piece, guess, homography)
        except (cv2.error, np.linalg.LinAlgError):
            return None  # pictures of a few pixels, or such that no equation has a solution
        return (piece, found) if found else None


def _nearest_first(lines: Sequence[Line], found: Line, middle: float) -> list[Line]:
    """The line first that a piece lies on; its own rate is less exact than that of many."""
    at = np.array([middle])
    return sorted(lines, key=lambda line: float(np.abs(line.at(at) - found.at(at))[0]))


def _moved(shape: tuple[int, ...], one: Homography, other: Homography | None) -> float:
    """How far apart two homographies lay a sketch's corners, pixels of the canvas."""
    if other is None:
        return float("inf")
    rows, columns = shape
    corners = np.array([[[0, 0], [columns, 0], [0, rows], [columns, rows]]], np.float64)
    apart = cv2.perspectiveTransform(corners, one) - cv2.perspectiveTransform(corners, other)
    return float(np.linalg.norm(apart, axis=2).max())


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
