"""Tracing a leak: from a file to a report.

    open → find the master and the time → read piece by piece → score → until sure, or all is read

Pieces of the leak are taken spread over its whole length. How many are read depends on how sure the
scores are, not on how long the leak is. Reading never looks at codewords or tags, so whatever a
leak does to it, an accusation keeps the bound that `autograph.accuse` states.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

from msgspec import Struct

from countermark.autograph.accuse import DEFAULT_BOUND
from countermark.autograph.index import SpliceIndex
from countermark.autograph.report import Leak, Report
from countermark.media.footage import Footage, FootageError
from countermark.work.leak_reading import Inquiry, Issued
from countermark.work.leak_search import Clue, search
from countermark.work.leak_sources import LeakFilm, MasterFilm
from countermark.work.trace_report import described

Progress = Callable[[float], None]


class TraceOptions(Struct, frozen=True, kw_only=True):
    """How to trace.

    Attributes:
        bound: greatest allowed probability that anybody innocent is accused.
        seconds: of the leak, at most so many are read closely.
    """

    bound: float = DEFAULT_BOUND
    seconds: float = 3600.0


_USUAL = TraceOptions()


@dataclass(frozen=True)
class TracedMaster:
    """A master that a leak may show; what is costly to fetch is fetched when it is needed.

    Attributes:
        index: its splice index.
        key: the autograph key that the index names, 32 bytes.
        fingerprint: gives the packed fingerprint.
        blob: gives the path of a local file of all variants.
    """

    index: SpliceIndex
    key: bytes
    fingerprint: Callable[[], bytes]
    blob: Callable[[], Path]


def trace(
    leak: Path,
    masters: Sequence[TracedMaster],
    issued: Callable[[str], Issued],
    options: TraceOptions = _USUAL,
    on_progress: Progress = lambda _: None,
) -> Report:
    """Find out whose copy a leak was made from.

    Args:
        leak: a media file, however damaged.
        masters: those it may show.
        issued: gives the issued tags of a master by its id.
        options: how.
        on_progress: told the part that is done, 0 to 1; it may stop well before 1.

    Returns:
        The report; a leak that cannot be read or shows no master is reported so, not raised.
    """
    began = time.monotonic()
    with FileIO(leak, "r") as file:
        try:
            footage = Footage(file)
        except FootageError as error:
            return _nothing(options, Leak(), f"{error}.", began)
        with closing(footage):
            return _trace(LeakFilm(footage), masters, issued, options, on_progress, began)


def _trace(
    film: LeakFilm,
    masters: Sequence[TracedMaster],
    issued: Callable[[str], Issued],
    options: TraceOptions,
    on_progress: Progress,
    began: float,
) -> Report:
    if film.duration <= 0:
        reason = "The leak holds a single picture or none; a trace needs moving pictures."
        return _nothing(options, film.facts(), reason, began)
    for clue in search(film, [Clue(master.index.master, master.fingerprint) for master in masters]):
        master = next(one for one in masters if one.index.master == clue.master)
        with MasterFilm(master.blob(), master.index) as shown:
            inquiry = Inquiry(film, shown, master.key, issued(clue.master), options.bound)
            if inquiry.settles(clue.lines, clue.rivals):
                inquiry.run(options.seconds, on_progress)
                return described(film, inquiry, time.monotonic() - began)
    reason = "The leak shows none of the masters, or too little of one to recognise it."
    return _nothing(options, film.facts(), reason, began)


def _nothing(options: TraceOptions, facts: Leak, reason: str, began: float) -> Report:
    return Report(
        status="insufficient evidence",
        reason=reason,
        bound=options.bound,
        leak=facts,
        work_seconds=round(time.monotonic() - began, 3),
    )
