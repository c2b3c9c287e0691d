"""`python -m bench.autograph [ROWS ...] [--quick]`: measure AutoGraph, write bench/AUTOGRAPH.md.

Every group of rows gets the same masters, made once. The page is written by whole runs only.
"""

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from bench import autograph_masters, autograph_symbols, autograph_tracing, marked
from bench.autograph_clips import clips
from bench.autograph_masters import Made
from bench.load import compile_load
from bench.results import Row, remarks, table, write
from bench.run import Run, temporary_folder

_Rows = Callable[[Sequence[Made], bool], Iterator[Row]]
_GROUPS: dict[str, _Rows] = {
    "masters": lambda made, _: autograph_masters.rows(made),
    "symbols": lambda made, _: autograph_symbols.rows(made),
    "tracing": lambda made, quick: autograph_tracing.rows(made, quick=quick),
    "downloads": lambda _, quick: _downloads(quick=quick),
}
_PAGE = Path(__file__).with_name("AUTOGRAPH.md")
_TITLE = """\
# AutoGraph, measured

Written by `make bench-autograph`, from one run, at the strength `light`, with two variants and
segments of 0.75 s. Figures are the worst clip's; the remarks below have every clip's."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.autograph", description=__doc__)
    parser.add_argument("rows", nargs="*", choices=[*_GROUPS, []], help="default: all")
    parser.add_argument("--quick", action="store_true", help="a small run that proves the bench")
    arguments = parser.parse_args()
    busy = os.getloadavg()[0]
    rows: list[Row] = []
    failures: list[str] = []
    with temporary_folder() as folder:
        made = []
        for clip in clips(folder, quick=arguments.quick):
            print(f"master of {clip.name} …", flush=True)
            made.append(autograph_masters.make(clip, folder))
        for name in arguments.rows or _GROUPS:
            _measure(name, _GROUPS[name](made, arguments.quick), rows, failures)
    print(f"\n{table(rows)}\n\n{remarks(rows)}")
    if not arguments.rows and not arguments.quick:
        write(_PAGE, rows, failures, "make bench-autograph", busy, _TITLE)
    return 1 if failures else 0


def _downloads(*, quick: bool) -> Iterator[Row]:
    with temporary_folder() as folder:
        yield from marked.rows(Run(compile_load(folder), quick))


def _measure(name: str, measured: Iterator[Row], rows: list[Row], failures: list[str]) -> None:
    print(f"{name} …", flush=True)
    try:
        for row in measured:
            rows.append(row)
            print("  " + "  ".join(filter(None, row.cells())), flush=True)
    except Exception as error:  # noqa: BLE001 - one group's failure must not cost the other rows
        failures.append(f"{name}: {error}")
        print(f"  not measured: {error}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
