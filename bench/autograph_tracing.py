"""What tracing reads and whom it names, after each degradation and each kind of collusion."""

import os
import random
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from io import FileIO
from itertools import count, islice
from pathlib import Path

import cv2
import numpy as np

from bench.autograph_clips import Clip
from bench.autograph_leaks import DEGRADATIONS, Degradation, Luma, pictures, scaled, spoil
from bench.autograph_masters import KEY, Made, make
from bench.results import Row
from countermark.autograph.accuse import needed_score
from countermark.autograph.code import Code
from countermark.autograph.evidence import Evidence
from countermark.autograph.report import Report
from countermark.autograph.scan import scan
from countermark.autograph.score import first_bets
from countermark.autograph.splice import Copy
from countermark.media.footage import Footage
from countermark.work.leak_reading import Inquiry, Issued
from countermark.work.leak_search import Clue, search
from countermark.work.leak_sources import LeakFilm, MasterFilm
from countermark.work.tracing import TracedMaster, trace

_RATE = 25
_LONG = (384, 216)
_SECONDS = 15  # of a clip
_TRIALS, _SET = 100_000, 100
_HALF = Degradation("half size, CRF 28", 1.0, scaled(0.5), 28)


@dataclass(frozen=True)
class Count:
    """Symbols right, all, and those of segments that carry no mark."""

    right: int = 0
    seen: int = 0
    dark: int = 0

    def __add__(self, other: "Count") -> "Count":
        return Count(self.right + other.right, self.seen + other.seen, self.dark + other.dark)

    def __str__(self) -> str:
        return f"{self.right} of {self.seen}"


def rows(made: Sequence[Made]) -> Iterator[Row]:
    """Measure; the last rows are of one film made of all clips."""
    with tempfile.TemporaryDirectory(prefix="countermark-leaks-") as name:
        folder = Path(name)
        with ProcessPoolExecutor(os.cpu_count()) as pool:
            for number in range(len(DEGRADATIONS)):
                yield _symbols(pool, folder, made, number)
        long = _long_master(folder, made)
        yield _minutes(folder, long)
        yield from _colluders(folder, long)
        yield _wrong(folder, long)
        yield _million(folder, long)


def _symbols(pool: ProcessPoolExecutor, folder: Path, made: Sequence[Made], number: int) -> Row:
    how = DEGRADATIONS[number]
    jobs = [pool.submit(_count, folder, one, number) for one in made]
    counts = {one.clip.name: job.result() for one, job in zip(made, jobs, strict=True)}
    pooled = sum(counts.values(), Count())
    share = pooled.right / max(pooled.seen, 1)
    note = ", ".join(f"{name} {count}" for name, count in counts.items())
    if pooled.dark:
        note += f"; {pooled.dark} more segments carry no mark"
    reach = f"≥ {how.reach:.0%}"
    ours = f"{share:.1%} of {pooled.seen}"
    return Row(f"symbols right: {how.name}", ours, "", None, reach, share >= how.reach, note)


def _count(folder: Path, made: Made, number: int) -> Count:
    """Read a leak that starts and ends anywhere; whole segments count."""
    index, how = made.index, DEGRADATIONS[number]
    chance = random.Random(made.clip.name)  # noqa: S311 - a bench repeats
    choice = [chance.randrange(index.variants) for _ in range(len(index))]
    frames, rate = index.first_frames[-1], _rate(made)
    first, last = int(rate * 0.9), min(frames - int(rate * 0.7), int(rate * _SECONDS))
    copy = islice(pictures(made, choice), first, last)
    preset = "medium" if how.crf >= 28 else "veryfast"
    inquiry = _read(spoil(folder / f"{os.getpid()}.mp4", copy, rate, how, preset), made)
    whole = [n for n in range(len(index)) if index.first_frames[n] >= first]
    whole = [n for n in whole if index.first_frames[n + 1] <= last]
    marked = [n for n in whole if index.carries[n]]
    if inquiry is None:
        return Count(0, len(marked), len(whole) - len(marked))
    reading = inquiry.reading()
    found = dict(zip(reading.segments.tolist(), reading.correlations.argmax(axis=1), strict=True))
    right = sum(found.get(number) == choice[number] for number in marked)
    return Count(right, len(marked), len(whole) - len(marked))


def _rate(made: Made) -> float:
    unit = made.index.time_base[0] / made.index.time_base[1]
    return made.index.first_frames[-1] / (made.index.times[-1] * unit)


def _read(path: Path, made: Made) -> Inquiry | None:
    """Read all of a leak without scoring; None if it was not recognised."""
    fingerprint = made.blob.with_name("autograph-frames").read_bytes
    with FileIO(path) as file, closing(Footage(file)) as footage:
        film = LeakFilm(footage)
        for clue in search(film, [Clue(made.index.master, fingerprint)]):
            with MasterFilm(made.blob, made.index) as master:
                inquiry = Inquiry(film, master, KEY, Issued(0, tuple), 1e-6)
                if inquiry.settles(clue.lines, clue.rivals):
                    inquiry.run(float("inf"), lambda _: None)
                    return inquiry
    return None


def _long_master(folder: Path, made: Sequence[Made]) -> Made:
    """A master of six minutes: all clips in turn, each time another part of the picture."""
    path = spoil(folder / "long.mp4", _long_film(made), _RATE, Degradation("", 0, crf=16))
    return make(Clip("all clips in turn", path), folder)


def _long_film(made: Sequence[Made], seconds: int = 345) -> Iterator[Luma]:
    return islice(_endless(made), seconds * _RATE)


def _endless(made: Sequence[Made]) -> Iterator[Luma]:
    for turn in count():
        for one in made:
            for luma in pictures(one, [0] * len(one.index)):
                yield _part(luma, turn % 4)


def _part(luma: Luma, turn: int) -> Luma:
    """A corner of a picture, so that what is shown again is not the same."""
    height, width = (side * 3 // 4 for side in luma.shape)
    top = (luma.shape[0] - height) * (turn // 2)
    left = (luma.shape[1] - width) * (turn % 2)
    part = luma[top : top + height, left : left + width]
    return cv2.resize(part, _LONG, interpolation=cv2.INTER_AREA)


def _traced(path: Path, made: Made, tags: Sequence[str]) -> Report:
    fingerprint = made.blob.with_name("autograph-frames").read_bytes
    known = TracedMaster(made.index, KEY, fingerprint, lambda: made.blob)
    return trace(path, [known], lambda _: Issued(len(tags), lambda: tags))


def _copy(made: Made, tag: str, start: float, seconds: float) -> Iterator[Luma]:
    choice = list(Copy(made.index, KEY, tag).symbols(0, len(made.index)))
    first = int(start * _RATE)
    return islice(pictures(made, choice), first, first + int(seconds * _RATE))


def _minutes(folder: Path, made: Made) -> Row:
    tags = [f"recipient {number}" for number in range(10_000)]
    named = []
    for start in (3, 140, 278):
        tag = tags[start * 31]
        leak = spoil(folder / "minute.mp4", _copy(made, tag, start, 60), _RATE, _HALF)
        report = _traced(leak, made, tags)
        named.append([one.tag for one in report.accused] == [tag])
    ours = f"{sum(named)} of {len(named)} named rightly"
    what = "a minute at half size and CRF 28 among 10,000 tags"
    return Row(what, ours, "", None, "always", all(named))


def _colluders(folder: Path, made: Made) -> Iterator[Row]:
    tags = [f"recipient {number}" for number in range(10_000)]
    pair = tags[17], tags[4711]
    for name, frames in (("mix segments", _mixed), ("average pixels", _averaged)):
        leak = spoil(folder / "both.mp4", frames(made, pair), _RATE, _HALF)
        accused = [one.tag for one in _traced(leak, made, tags).accused]
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


def _million(folder: Path, made: Made) -> Row:
    tags = [f"recipient {number}" for number in range(1_000_000)]
    leak = spoil(folder / "all.mp4", _copy(made, tags[777_777], 5, 335), _RATE, _HALF)
    report = _traced(leak, made, tags)
    named = [one.tag for one in report.accused] == [tags[777_777]]
    ours = f"{report.work_seconds:.0f} s"
    note = (
        f"{report.seconds_read:.0f} s of the leak were read, "
        f"{'the right tag' if named else 'nobody'} was named; how long the leak is does not matter"
    )
    what = "trace of a leak of 5½ minutes against 1,000,000 tags"
    return Row(what, ours, "", None, "≤ 60 s", named and report.work_seconds <= 60, note)


def _wrong(folder: Path, long: Made) -> Row:
    """Score many sets of tags on real readings of copies that none of them had."""
    leaks = {"unmarked": _plain(long), "not issued": _copy(long, "nobody", 20, 90)}
    began, wrong, best = time.process_time(), 0, -np.inf
    for number, frames in enumerate(leaks.values()):
        leak = spoil(folder / "innocent.mp4", frames, _RATE, _HALF)
        inquiry = _read(leak, long)
        if inquiry is None:
            continue
        evidence = inquiry.reading().evidence()
        scores = _scores(long, evidence, number, _TRIALS // len(leaks))
        wrong += int((scores.max(axis=1) >= needed_score(_SET, 1e-6)).sum())
        best = max(best, float(scores.max()))
    note = (
        f"the highest of {_TRIALS * _SET:,} scores was {best / np.log(2):.1f} bits of "
        f"{needed_score(_SET, 1e-6) / np.log(2):.1f}; {time.process_time() - began:.0f} s of CPU"
    )
    what = f"wrong accusations in {_TRIALS:,} trials of {_SET} tags each"
    return Row(what, str(wrong), "", None, "0", wrong == 0, note)


def _plain(long: Made) -> Iterator[Luma]:
    """The long film unmarked: the mean of its variants."""
    both = (pictures(long, [variant] * len(long.index)) for variant in range(2))
    pairs = zip(*both, strict=True)
    for one, other in islice(pairs, 20 * _RATE, 110 * _RATE):
        yield cv2.addWeighted(one, 0.5, other, 0.5, 0)


def _scores(
    made: Made, evidence: Evidence, number: int, trials: int
) -> "np.ndarray[tuple[int, int], np.dtype[np.float64]]":
    code = Code(KEY, made.index.master, made.index.variants)
    bets = first_bets(code.biases(evidence.segments), evidence.likelihoods)
    tags = (f"trial {number} {tag}".encode() for tag in range(trials * _SET))
    blocks = [scores for _, scores in scan(code, evidence.segments, bets, tags)]
    return np.concatenate(blocks).reshape(trials, _SET)
