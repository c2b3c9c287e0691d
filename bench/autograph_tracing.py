"""Whom traces name, how fast, and that they name nobody wrongly: on a film of half an hour."""

import random
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from bench.autograph_clips import Clip
from bench.autograph_leaks import Degradation, Luma, pictures, scaled, spoil
from bench.autograph_masters import KEY, Made, make
from bench.autograph_symbols import read
from bench.results import Row
from countermark.autograph.accuse import needed_score
from countermark.autograph.code import Code
from countermark.autograph.evidence import Evidence
from countermark.autograph.report import Report
from countermark.autograph.scan import scan
from countermark.autograph.score import first_bets
from countermark.autograph.splice import Copy
from countermark.work.leak_reading import Issued
from countermark.work.tracing import TracedMaster, trace

_RATE = 25
_LONG = (384, 216)
_MINUTES = 31
_TRIALS, _SET = 100_000, 100
_HALF = Degradation("half size, CRF 28", 1.0, scaled(0.5), 28)
_TAGS = [f"recipient {number}" for number in range(10_000)]


def rows(made: Sequence[Made], *, quick: bool = False) -> Iterator[Row]:
    """Make one long film of all clips, and trace leaks of it."""
    minutes = 7 if quick else _MINUTES
    with tempfile.TemporaryDirectory(prefix="countermark-leaks-") as name:
        folder = Path(name)
        long = long_master(folder, made, minutes * 60)
        yield _million(folder, long, minutes - 1)
        yield _minutes(folder, long, 2 if quick else 8)
        yield from _colluders(folder, long)
        yield _wrong(folder, long, made)


def long_master(folder: Path, made: Sequence[Made], seconds: int) -> Made:
    """A master of all clips in turn, each time another part of the picture, or run backwards."""
    frames = islice(_endless(made), seconds * _RATE)
    path = spoil(folder / "long.mp4", frames, _RATE, Degradation("", 0, crf=16))
    return make(Clip("all clips in turn", path), folder)


def _endless(made: Sequence[Made]) -> Iterator[Luma]:
    chance = random.Random(3)  # noqa: S311 - a bench repeats
    while True:
        for one in chance.sample(made, len(made)):
            part, mirrored = _Part(chance), chance.random() < 0.5
            shown = [part.of(luma) for luma in pictures(one, [0] * len(one.index))]
            shown = shown[::-1] if chance.random() < 0.5 else shown
            yield from (luma[:, ::-1] if mirrored else luma for luma in shown)


class _Part:
    """A part of a picture, so that what is shown again is not the same."""

    def __init__(self, chance: random.Random) -> None:
        self._size = chance.uniform(0.5, 0.85)
        self._left, self._top = (chance.uniform(0, 1 - self._size) for _ in range(2))

    def of(self, luma: Luma) -> Luma:
        height, width = luma.shape
        top, left = int(self._top * height), int(self._left * width)
        part = luma[top : top + int(height * self._size), left : left + int(width * self._size)]
        shown = cv2.resize(part, _LONG, interpolation=cv2.INTER_AREA)
        return shown.astype(np.uint8, copy=False)


def _traced(path: Path, made: Made, tags: Sequence[str]) -> Report:
    fingerprint = made.blob.with_name("autograph-frames").read_bytes
    known = TracedMaster(made.index, KEY, fingerprint, lambda: made.blob)
    return trace(path, [known], lambda _: Issued(len(tags), lambda: tags))


def _copy(made: Made, tag: str, start: float, seconds: float) -> Iterator[Luma]:
    choice = list(Copy(made.index, KEY, tag).symbols(0, len(made.index)))
    first = int(start * _RATE)
    return islice(pictures(made, choice), first, first + int(seconds * _RATE))


def _minutes(folder: Path, made: Made, count: int) -> Row:
    named = []
    for start in np.linspace(3, made.index.first_frames[-1] / _RATE - 64, count):
        tag = _TAGS[int(start) * 5]
        leak = spoil(folder / "minute.mp4", _copy(made, tag, start, 60), _RATE, _HALF)
        named.append([one.tag for one in _traced(leak, made, _TAGS).accused] == [tag])
    ours = f"{sum(named)} of {len(named)} named rightly"
    what = "a minute at half size and CRF 28 among 10,000 tags"
    return Row(what, ours, "", None, "always", all(named))


def _colluders(folder: Path, made: Made) -> Iterator[Row]:
    pair = _TAGS[17], _TAGS[4711]
    for name, frames in (("mix segments", _mixed), ("average pixels", _averaged)):
        leak = spoil(folder / "both.mp4", frames(made, pair), _RATE, _HALF)
        accused = [one.tag for one in _traced(leak, made, _TAGS).accused]
        innocent = len(set(accused) - set(pair))
        ours = f"{len(set(accused) & set(pair))} named, {innocent} innocent"
        reached = bool(accused) and not innocent
        yield Row(f"two who {name}, 5 minutes", ours, "", None, "≥ 1 named, 0 innocent", reached)


def _mixed(made: Made, pair: tuple[str, str]) -> Iterable[Luma]:
    chance = random.Random(5)  # noqa: S311 - a bench repeats
    words = [list(Copy(made.index, KEY, tag).symbols(0, len(made.index))) for tag in pair]
    choice = [chance.choice(both) for both in zip(*words, strict=True)]
    return islice(pictures(made, choice), 20 * _RATE, 320 * _RATE)


def _averaged(made: Made, pair: tuple[str, str]) -> Iterable[Luma]:
    copies = (_copy(made, tag, 20, 300) for tag in pair)
    return (cv2.addWeighted(one, 0.5, other, 0.5, 0) for one, other in zip(*copies, strict=True))


def _million(folder: Path, made: Made, minutes: int) -> Row:
    tags = [f"recipient {number}" for number in range(1_000_000)]
    copy = _copy(made, tags[777_777], 5, minutes * 60)
    leak = spoil(folder / "all.mp4", copy, _RATE, _HALF)
    began = time.process_time()
    report = _traced(leak, made, tags)
    spent = time.process_time() - began
    named = [one.tag for one in report.accused] == [tags[777_777]]
    note = (
        f"{report.seconds_read:.0f} s of the leak were read in {spent:.0f} s of processor time, "
        f"{'the right tag' if named else 'not the right tag'} was named; "
        f"the film has {made.index.variants} variants of {_LONG[0]} by {_LONG[1]}"
    )
    what = f"trace of a leak of {minutes} minutes against 1,000,000 tags"
    reached = named and report.work_seconds <= 60
    return Row(what, f"{report.work_seconds:.0f} s", "", None, "≤ 60 s", reached, note)


def _wrong(folder: Path, long: Made, made: Sequence[Made]) -> Row:
    """Score many sets of tags on real readings of copies that none of them had."""
    leaks = {"unmarked": _plain(long), "not issued": _copy(long, "nobody", 20, 90)}
    # What another master of the same pictures marks.
    leaks |= {f"foreign, {one.clip.name}": _foreign(one) for one in made}
    readings = {name: _innocent(folder, long, frames) for name, frames in leaks.items()}
    read_ = {name: evidence for name, evidence in readings.items() if evidence is not None}
    began, wrong, best = time.process_time(), 0, -np.inf
    for evidence in read_.values():
        scores = _scores(long, evidence, -(-_TRIALS // len(read_)))
        wrong += int((scores.max(axis=1) >= needed_score(_SET, 1e-6)).sum())
        best = max(best, float(scores.max()))
    note = (
        f"a trial draws {_SET} tags and scores them on one of {len(read_)} readings of leaks that "
        f"none of them was in ({', '.join(read_)}; not recognised, so never scored: "
        f"{', '.join(sorted(leaks.keys() - read_.keys())) or 'none'}); the highest of "
        f"{_TRIALS * _SET:,} scores was {best / np.log(2):.1f} bits of "
        f"{needed_score(_SET, 1e-6) / np.log(2):.1f}; {time.process_time() - began:.0f} s of CPU"
    )
    return Row(
        f"wrong accusations in {_TRIALS:,} trials", str(wrong), "", None, "0", not wrong, note
    )


def _innocent(folder: Path, long: Made, frames: Iterable[Luma]) -> Evidence | None:
    inquiry = read(spoil(folder / "innocent.mp4", frames, _RATE, _HALF), long)
    return inquiry.reading().evidence() if inquiry and len(inquiry.reader) else None


def _foreign(made: Made) -> Iterator[Luma]:
    return pictures(made, [number % 2 for number in range(len(made.index))])


def _plain(long: Made) -> Iterator[Luma]:
    """The long film unmarked: the mean of its variants."""
    both = (pictures(long, [variant] * len(long.index)) for variant in range(2))
    pairs = zip(*both, strict=True)
    for one, other in islice(pairs, 20 * _RATE, 110 * _RATE):
        yield cv2.addWeighted(one, 0.5, other, 0.5, 0)


def _scores(
    made: Made, evidence: Evidence, trials: int
) -> "np.ndarray[tuple[int, int], np.dtype[np.float64]]":
    code = Code(KEY, made.index.master, made.index.variants)
    bets = first_bets(code.biases(evidence.segments), evidence.likelihoods)
    tags = (f"trial {tag}".encode() for tag in range(trials * _SET))
    blocks = [scores for _, scores in scan(code, evidence.segments, bets, tags)]
    return np.concatenate(blocks).reshape(trials, _SET)
