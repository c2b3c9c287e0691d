"""Whom traces name, how fast, and that they name nobody wrongly: on leaks of two long films.

Each trace runs as in the service: in a confined process of its own, which asks for master and tags.
"""

import os
import random
import resource
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from bench.autograph_films import RATE, Film, copy_of, film_master, shown
from bench.autograph_leaks import Degradation, Planes, averaged, pictures, scaled, spoil
from bench.autograph_masters import KEY, Made
from bench.autograph_symbols import read
from bench.results import Row
from countermark.autograph.accuse import accuse, needed_score, spend
from countermark.autograph.code import Code
from countermark.autograph.evidence import Evidence
from countermark.autograph.index import encode
from countermark.autograph.reading import Reading
from countermark.autograph.report import Report
from countermark.autograph.scan import scan
from countermark.autograph.score import first_bets
from countermark.autograph.splice import Copy
from countermark.media.child_process import run_in_child
from countermark.media.child_protocol import ChildLimits
from countermark.work.trace_child import TRACE, Given, OfferedMaster, TraceOrder, asked, give
from countermark.work.tracing import TraceOptions

_LONG = Film("long", (384, 216), 31 * 60)
_WIDE = Film("wide", (640, 360), 330)
_TRIALS, _SET, _KEYS = 100_000, 100, 10
_BOUND = 1e-6
_HALF = Degradation("half size, CRF 28", 1.0, scaled(0.5), 28)
_TAGS = [f"recipient {number}" for number in range(10_000)]
_PAIRS = (("recipient 17", "recipient 4711"), ("recipient 9000", "recipient 3"))
Mixing = Callable[[Made, tuple[str, str]], Iterable[Planes]]
_STARTS = (3.3, 71.9, 140.5, 209.1, 261.7)


def rows(made: Sequence[Made], *, quick: bool = False) -> Iterator[Row]:
    """Make two films of all clips, and trace leaks of them."""
    clips = [one.clip for one in made]
    long = Film(_LONG.name, _LONG.size, 7 * 60) if quick else _LONG
    with tempfile.TemporaryDirectory(prefix="countermark-leaks-") as name:
        folder = Path(name)
        yield _million(folder, film_master(folder, clips, long), long.seconds // 60 - 1)
        wide = film_master(folder, clips, _WIDE)
        with ProcessPoolExecutor(os.cpu_count()) as pool:
            yield _traced_minutes(pool, folder, wide, _STARTS[:2] if quick else _STARTS)
            yield _read_minutes(folder, wide)
            yield from _colluders(pool, folder, wide, _PAIRS[:1] if quick else _PAIRS)
        yield _wrong(folder, wide, made)


def traced(folder: Path, leak: Path, made: Made, tags: Sequence[str]) -> tuple[Report, float]:
    """Trace a leak in a process of its own.

    Returns:
        The report, and the processor time of that process, seconds.
    """
    with tempfile.TemporaryDirectory(dir=folder) as name:
        place = Path(name)
        index, issued = place / "index", place / "issued"
        index.write_bytes(encode(made.index))
        issued.write_bytes(msgspec.msgpack.encode(tags))
        fingerprint = made.blob.with_name("autograph-frames")
        offered = OfferedMaster(
            made.index.master, str(index), str(fingerprint), str(made.blob), KEY
        )
        order = TraceOrder(str(leak), name, (offered,), TraceOptions())

        def serve(_: float) -> None:
            if wanted := asked(place):
                give(place, wanted, Given(str(made.blob), str(issued)))

        before = _processor_time()
        report = run_in_child(TRACE, order, Report, ChildLimits(), serve)
        return report, _processor_time() - before


def _processor_time() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _leak(path: Path, frames: Iterable[Planes]) -> Path:
    return spoil(path, frames, RATE, _HALF, "medium")


def _million(folder: Path, made: Made, minutes: int) -> Row:
    tags = [f"recipient {number}" for number in range(1_000_000)]
    copy = copy_of(made, tags[777_777], 5, minutes * 60)
    leak = _leak(folder / "all.mp4", copy)
    report, spent = traced(folder, leak, made, tags)
    named = _names(report) == [tags[777_777]]
    other, other_spent = traced(folder, leak, made, [tag for tag in tags if tag != tags[777_777]])
    note = (
        f"{report.seconds_read:.0f} s of the leak were read in {spent:.0f} s of processor time, "
        f"{'the right tag' if named else 'not the right tag'} was named; with that tag not issued "
        f"{other.seconds_read:.0f} s were read in {other.work_seconds:.0f} s, of the processor "
        f"{other_spent:.0f} s, and {len(other.accused)} were accused; "
        f"the film has {made.index.variants} variants of {_LONG.size[0]} by {_LONG.size[1]}"
    )
    what = f"trace of a leak of {minutes} minutes against 1,000,000 tags"
    reached = named and report.work_seconds <= 60 and not other.accused
    return Row(what, f"{report.work_seconds:.0f} s", "", None, "≤ 60 s", reached, note)


def _names(report: Report) -> list[str]:
    return [one.tag for one in report.accused]


def _traced_minutes(
    pool: ProcessPoolExecutor, folder: Path, made: Made, starts: Sequence[float]
) -> Row:
    jobs = [pool.submit(_minute, folder, made, start) for start in starts]
    found = [job.result() for job in jobs]
    ours = f"{sum(right for right, _ in found)} of {len(found)} named rightly"
    what = "a minute at half size and CRF 28 among 10,000 tags"
    note = "chances of being wrong, at most: " + ", ".join(f"{chance:.1g}" for _, chance in found)
    return Row(what, ours, "", None, "always", all(right for right, _ in found), note)


def _minute(folder: Path, made: Made, start: float) -> tuple[bool, float]:
    """Whether the right one is named, and how sure."""
    tag = _TAGS[int(start * 31)]
    leak = _leak(folder / f"minute-{start}.mp4", copy_of(made, tag, start, 60))
    report, _ = traced(folder, leak, made, _TAGS)
    chance = max((one.probability for one in report.accused), default=1.0)
    return _names(report) == [tag], chance


def _read_minutes(folder: Path, made: Made) -> Row:
    """Every window of a minute of one leak, each second another."""
    tag, seconds = _TAGS[8191], made.index.first_frames[-1] / RATE - 1
    leak = _leak(folder / "whole.mp4", copy_of(made, tag, 0.5, seconds))
    inquiry = read(leak, made)
    what = "any minute of such a leak, cut out of its reading"
    if inquiry is None:
        return Row(what, "not recognised", "", None, "always", reached=False)
    code, bound = inquiry.code, spend(_BOUND, 1)
    starts = np.arange(0.5, seconds - 60)
    windows = [_window(inquiry.reading(), inquiry.master.times, start, 60) for start in starts]
    verdicts = [accuse(code, one, lambda: _TAGS, len(_TAGS), bound) for one in windows]
    named = [[one.tag for one in verdict.accused] for verdict in verdicts]
    right, wrong = named.count([tag]), sum(len({*some} - {tag}) for some in named)
    ours = f"{right} of {len(named)} named rightly, {wrong} wrongly"
    rest = [f"{start:.0f} s" for start, some in zip(starts, named, strict=True) if some != [tag]]
    note = f"windows that did not suffice begin at: {', '.join(rest) or 'none'}"
    return Row(what, ours, "", None, "always", right == len(named), note)


def _window(reading: Reading, times: NDArray[np.float64], start: float, seconds: float) -> Evidence:
    """The evidence of the segments that lie wholly in a part of the leak."""
    numbers = reading.segments
    inside = (times[numbers] >= start) & (times[numbers + 1] <= start + seconds)
    rows = (reading.segments, reading.correlations, reading.noise, reading.frames)
    return Reading(*(row[inside] for row in rows)).evidence()


def _colluders(
    pool: ProcessPoolExecutor, folder: Path, made: Made, pairs: Sequence[tuple[str, str]]
) -> Iterator[Row]:
    for name, frames in (("mix segments", _mixed), ("average pixels", _averaged)):
        jobs = [pool.submit(_pair, folder, made, pair, frames) for pair in pairs]
        counts = [job.result() for job in jobs]
        ours = f"{'; '.join(str(right) for right, _ in counts)} named, "
        ours += f"{sum(wrong for _, wrong in counts)} innocent"
        reached = all(right and not wrong for right, wrong in counts)
        what = f"two who {name}, 5 minutes, {len(pairs)} pairs"
        yield Row(what, ours, "", None, "≥ 1 named each, 0 innocent", reached)


def _pair(folder: Path, made: Made, pair: tuple[str, str], frames: Mixing) -> tuple[int, int]:
    """How many of the two are named, and how many others."""
    path = folder / f"{frames.__name__}-{pair[0]}.mp4"
    leak = _leak(path, frames(made, pair))
    named = set(_names(traced(folder, leak, made, _TAGS)[0]))
    return len(named & {*pair}), len(named - {*pair})


def _mixed(made: Made, pair: tuple[str, str]) -> Iterable[Planes]:
    chance = random.Random(pair[0])  # noqa: S311 - a bench repeats
    words = [list(Copy(made.index, KEY, tag).symbols(0, len(made.index))) for tag in pair]
    choice = [chance.choice(both) for both in zip(*words, strict=True)]
    return shown(made, choice, 20, 300)


def _averaged(made: Made, pair: tuple[str, str]) -> Iterable[Planes]:
    copies = (copy_of(made, tag, 20, 300) for tag in pair)
    return averaged(*copies)


def _wrong(folder: Path, film: Made, made: Sequence[Made]) -> Row:
    """Score many sets of tags on real readings of copies that none of them had."""
    leaks = {"unmarked": _plain(film), "not issued": copy_of(film, "nobody", 20, 90)}
    # What another master of the same pictures marks.
    leaks |= {f"foreign, {one.clip.name}": _foreign(one) for one in made}
    readings = {name: _innocent(folder, film, frames) for name, frames in leaks.items()}
    read_ = {name: evidence for name, evidence in readings.items() if evidence is not None}
    each = -(-_TRIALS // (len(read_) * _KEYS))
    needed, wrong, best, trials = needed_score(_SET, _BOUND), 0, -np.inf, 0
    for evidence in read_.values():
        for key in range(_KEYS):
            scores = _scores(film, evidence, key, each)
            wrong += int((scores.max(axis=1) >= needed).sum())
            best, trials = max(best, float(scores.max())), trials + each
    unseen = ", ".join(sorted(leaks.keys() - read_.keys())) or "none"
    note = (
        f"a trial draws {_SET} tags and scores them under one of {_KEYS} keys on one of "
        f"{len(read_)} readings of leaks that none of them was in ({', '.join(read_)}; not "
        f"recognised, so never scored: {unseen}); the highest of {trials * _SET:,} scores was "
        f"{best / np.log(2):.1f} bits of {needed / np.log(2):.1f}"
    )
    what = f"wrong accusations in {trials:,} trials"
    return Row(what, str(wrong), "", None, "0", not wrong, note)


def _innocent(folder: Path, film: Made, frames: Iterable[Planes]) -> Evidence | None:
    inquiry = read(_leak(folder / "innocent.mp4", frames), film)
    return inquiry.reading().evidence() if inquiry and len(inquiry.reader) else None


def _foreign(made: Made) -> Iterator[Planes]:
    return pictures(made, [number % 2 for number in range(len(made.index))])


def _plain(film: Made) -> Iterator[Planes]:
    """The film unmarked: the mean of its variants."""
    both = (shown(film, [variant] * len(film.index), 20, 90) for variant in range(2))
    return averaged(*both)


def _scores(made: Made, evidence: Evidence, key: int, trials: int) -> NDArray[np.float64]:
    """Scores of fresh tags under one of many keys, the master's own first, shape (trials, set)."""
    secret = KEY if key == 0 else bytes([key]) * len(KEY)
    code = Code(secret, made.index.master, made.index.variants)
    bets = first_bets(code.biases(evidence.segments), evidence.likelihoods)
    tags = (f"trial {tag}".encode() for tag in range(trials * _SET))
    blocks = [scores for _, scores in scan(code, evidence.segments, bets, tags)]
    return np.concatenate(blocks).reshape(trials, _SET)
