"""`python -m bench [ROWS ...] [--quick]`: measure, print, and write bench/RESULTS.md.

The page is written by whole runs only: what it shows comes from one run.
"""

import argparse
import os
import resource
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from bench import (
    conversion,
    downloads,
    idle,
    jobs,
    links,
    marked,
    presets,
    probe_rows,
    records,
    uploads,
)
from bench.load import compile_load
from bench.results import Row, remarks, table, write
from bench.run import Run, temporary_folder

_GROUPS: dict[str, Callable[[Run], Iterator[Row]]] = {
    "downloads": downloads.rows,
    "marked": marked.rows,
    "links": links.rows,
    "idle": idle.rows,
    "records": records.rows,
    "uploads": uploads.rows,
    "probe": probe_rows.rows,
    "conversion": conversion.rows,
    "jobs": jobs.rows,
}
# Too long for a page of comparisons; `make soak` has them.
_SWEEPS: dict[str, Callable[[Run], Iterator[Row]]] = {"presets": presets.rows}
_ALL = _GROUPS | _SWEEPS
_DEFAULT = "all but presets"
_PAGE = Path(__file__).with_name("RESULTS.md")


def main() -> int:
    arguments = _arguments()
    _raise_file_limit()
    busy = os.getloadavg()[0]
    rows: list[Row] = []
    failures: list[str] = []
    with temporary_folder() as folder:
        run = Run(compile_load(folder), quick=arguments.quick)
        for name in arguments.rows or _GROUPS:
            _measure(name, run, rows, failures)
    print(f"\n{table(rows)}\n\n{remarks(rows)}")
    if not arguments.rows and not run.quick:
        write(_PAGE, rows, failures, "make bench", busy)
    return 1 if failures else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("rows", nargs="*", help=f"of {', '.join(_ALL)}; default: {_DEFAULT}")
    parser.add_argument("--quick", action="store_true", help="a small run that proves the bench")
    arguments = parser.parse_args()
    unknown = set(arguments.rows) - set(_ALL)
    if unknown:
        parser.error(f"no such rows: {', '.join(sorted(unknown))}")
    return arguments


def _raise_file_limit() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _measure(name: str, run: Run, rows: list[Row], failures: list[str]) -> None:
    print(f"{name} …", flush=True)
    try:
        for row in _ALL[name](run):
            rows.append(row)
            print("  " + "  ".join(filter(None, row.cells())), flush=True)
    except Exception as error:  # noqa: BLE001 - one peer's failure must not cost the other rows
        failures.append(f"{name}: {error}")
        print(f"  not measured: {error}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
