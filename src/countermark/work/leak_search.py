"""Which master a leak shows, and when: from thumbnails of a few pieces."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from countermark.autograph.finding import Candidate, Haystack, Peak, box, candidates
from countermark.autograph.fingerprint import (
    FingerprintError,
    Seconds,
    Thumbnails,
    thumbnail,
    unpack,
)
from countermark.autograph.registration import Shots
from countermark.autograph.timing import Line
from countermark.work.leak_sources import LeakFilm

Needle = tuple[Seconds, Thumbnails]

_PIECES = 4
_MOST_MASTERS = 6
_MOST_LINES = 16
_GLANCES = 2
_RIVAL = 0.93


@dataclass(frozen=True)
class Clue:
    """A master to be searched, or one that was found.

    Attributes:
        master: its id.
        fingerprint: gives its packed fingerprint.
        lines: where the leak may lie in it, likeliest first.
        support: what speaks for the first of them.
        rivals: how many of the lines have nearly as much support, the first among them.
    """

    master: str
    fingerprint: Callable[[], bytes]
    lines: tuple[Line, ...] = ()
    support: float = 0.0
    rivals: int = 1


def search(film: LeakFilm, clues: Sequence[Clue]) -> Iterator[Clue]:
    """Masters that the leak may show, likeliest first.

    Args:
        film: the leak.
        clues: the masters.
    """
    pieces = [found for found in film.first_pieces(_PIECES) if len(found.times) > 1]
    if not pieces:
        return
    needles = _needles(pieces)
    for some in _likeliest(clues, needles):
        found = [clue for clue in (_searched(clue, needles) for clue in some) if clue.lines]
        found.sort(key=lambda clue: -clue.support)
        yield from found[:_MOST_MASTERS]


def _likeliest(clues: Sequence[Clue], needles: Sequence[Needle]) -> Iterator[Sequence[Clue]]:
    """Of many masters those first that a glance finds likeliest, as a whole search costs more."""
    if len(clues) <= _MOST_MASTERS:
        yield clues
        return
    heights = [_glance(clue, needles[:_GLANCES]) for clue in clues]
    order = sorted(range(len(clues)), key=lambda number: -heights[number])
    yield [clues[number] for number in order[:_MOST_MASTERS]]
    yield [clues[number] for number in order[_MOST_MASTERS:]]


def _glance(clue: Clue, needles: Sequence[Needle]) -> float:
    try:
        haystack = Haystack(unpack(clue.fingerprint()))
    except FingerprintError:
        return 0.0
    return sum(haystack.glance(times, cells) for times, cells in needles)


def _needles(pieces: Sequence[Shots]) -> list[Needle]:
    where = box(pieces[0].area)
    return [
        (found.times, np.stack([thumbnail(one[where]) for one in found.sketches]))
        for found in pieces
    ]


def _searched(clue: Clue, needles: Sequence[Needle]) -> Clue:
    try:
        haystack = Haystack(unpack(clue.fingerprint()))
    except FingerprintError:
        return clue
    peaks: list[list[Peak]] = [haystack.peaks(times, cells) for times, cells in needles]
    best: list[Candidate] = candidates(peaks)[:_MOST_LINES]
    if not best:
        return clue
    lines = tuple(one.line for one in best)
    rivals = sum(1 for one in best if one.support > _RIVAL * best[0].support)
    return Clue(clue.master, clue.fingerprint, lines, best[0].support, rivals)
