"""Which symbols are read rightly after each degradation, clip by clip."""

import os
import random
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from io import FileIO
from itertools import islice
from pathlib import Path

from bench.autograph_leaks import DEGRADATIONS, pictures, spoil
from bench.autograph_masters import KEY, Made
from bench.results import Row
from countermark.media.footage import Footage
from countermark.work.leak_reading import Inquiry, Issued
from countermark.work.leak_search import Clue, search
from countermark.work.leak_sources import LeakFilm, MasterFilm


@dataclass(frozen=True)
class Count:
    """Symbols right, all, and both for segments that the index says carry next to no mark."""

    right: int = 0
    seen: int = 0
    faint_right: int = 0
    faint: int = 0

    def __add__(self, other: "Count") -> "Count":
        return Count(
            self.right + other.right,
            self.seen + other.seen,
            self.faint_right + other.faint_right,
            self.faint + other.faint,
        )

    def __str__(self) -> str:
        return f"{self.right} of {self.seen}"


def rows(made: Sequence[Made]) -> Iterator[Row]:
    """Spoil a copy of each clip in each way, read it, and compare."""
    folder = tempfile.TemporaryDirectory(prefix="countermark-leaks-")
    with folder as name, ProcessPoolExecutor(os.cpu_count()) as pool:
        for number in range(len(DEGRADATIONS)):
            yield _symbols(pool, Path(name), made, number)


def _symbols(pool: ProcessPoolExecutor, folder: Path, made: Sequence[Made], number: int) -> Row:
    how = DEGRADATIONS[number]
    jobs = [pool.submit(_count, folder, one, number) for one in made]
    counts = {one.clip.name: job.result() for one, job in zip(made, jobs, strict=True)}
    pooled = sum(counts.values(), Count())
    share = pooled.right / max(pooled.seen, 1)
    note = ", ".join(f"{name} {count}" for name, count in counts.items())
    if pooled.faint:
        note += f"; of {pooled.faint} more segments, which are too dark or flat to carry a mark, "
        note += f"{pooled.faint_right} were right"
    reach = f"≥ {how.reach:.0%}"
    ours = f"{share:.1%} of {pooled.seen}"
    return Row(f"symbols right: {how.name}", ours, "", None, reach, share >= how.reach, note)


def _count(folder: Path, made: Made, number: int) -> Count:
    """Read a leak that starts and ends anywhere; whole segments count."""
    index, how = made.index, DEGRADATIONS[number]
    chance = random.Random(made.clip.name)  # noqa: S311 - a bench repeats
    choice = [chance.randrange(index.variants) for _ in range(len(index))]
    frames, rate = index.first_frames[-1], _rate(made)
    first, last = int(rate * 0.9), frames - int(rate * 0.7)
    copy = islice(pictures(made, choice), first, last)
    preset = "medium" if how.crf >= 28 else "veryfast"
    inquiry = read(spoil(folder / f"{os.getpid()}.mp4", copy, rate, how, preset), made)
    whole = [n for n in range(len(index)) if index.first_frames[n] >= first]
    whole = [n for n in whole if index.first_frames[n + 1] <= last]
    found: dict[int, int] = {}
    if inquiry is not None:
        reading = inquiry.reading()
        best = reading.correlations.argmax(axis=1)
        found = dict(zip(reading.segments.tolist(), best.tolist(), strict=True))
    count = Count()
    for segment in whole:
        right = int(found.get(segment) == choice[segment])
        count += Count(right, 1) if index.carries[segment] else Count(0, 0, right, 1)
    return count


def _rate(made: Made) -> float:
    unit = made.index.time_base[0] / made.index.time_base[1]
    return made.index.first_frames[-1] / (made.index.times[-1] * unit)


def read(path: Path, made: Made) -> Inquiry | None:
    """Read all of a leak without scoring; None if it was not recognised."""
    fingerprint = made.blob.with_name("autograph-frames").read_bytes
    with FileIO(path) as file, closing(Footage(file)) as footage:
        film = LeakFilm(footage)
        for clue in search(film, [Clue(made.index.master, fingerprint)]):
            with MasterFilm(made.blob, made.index) as master:
                inquiry = Inquiry(film, master, KEY, Issued(0, tuple), 1e-6)
                if inquiry.settles(clue.lines, clue.rivals):
                    for _ in inquiry.pieces():
                        pass
                    return inquiry
    return None
