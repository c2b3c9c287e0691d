"""One file's record and pages of a million, beside PocketBase over the same million."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from bench.pocketbase import pocketbase
from bench.results import Row, alternate, faster
from bench.run import Run, temporary_folder
from bench.service import countermark, fill_catalog

_COUNT = 1_000_000
_PAGE = 1000  # the most that PocketBase gives
_CONNECTIONS = 16
_REACH = 2
_FLAT = 1.25  # last page to first
_NEIGHBOURS = 5


@dataclass(frozen=True)
class _Side:
    """Where to ask, as whom, and how each side spells the same questions."""

    port: int
    token: str
    record: str  # the path before an id
    page: str  # the target, a format of `start` (from 0) and `ordinal` (from 1)
    ids: Sequence[str] = field(repr=False)

    @property
    def headers(self) -> list[str]:
        return [f"Authorization: Bearer {self.token}"]

    def records_per_second(self, run: Run) -> float:
        requests = [f"GET {self.record}{file_id}" for file_id in self.ids]
        measured = run.load.run(
            self.port,
            requests,
            connections=_CONNECTIONS,
            seconds=run.seconds,
            headers=self.headers,
        )
        return measured.per_second

    def page_ms(self, run: Run, number: int) -> float:
        requests = [self._page_request(number)]
        measured = run.load.run(self.port, requests, seconds=run.seconds, headers=self.headers)
        return measured.p50_us / 1e3

    def first_touch_ms(self, run: Run, numbers: Sequence[int]) -> float:
        requests = [self._page_request(number) for number in numbers]
        measured = run.load.run(self.port, requests, responses=len(requests), headers=self.headers)
        return measured.p50_us / 1e3

    def _page_request(self, number: int) -> str:
        return "GET " + self.page.format(start=number * _PAGE, ordinal=number + 1)


def rows(run: Run) -> Iterator[Row]:
    """Records per second by id at random, and milliseconds for a page, both with the total."""
    count = _COUNT // run.scale
    with temporary_folder() as folder, _sides(folder, count) as (ours, peer):
        yield from _page_rows(run, ours, peer, count)
        pair = alternate(
            lambda: ours.records_per_second(run), lambda: peer.records_per_second(run), run.turns
        )
        yield faster("GET /files/ID with a bearer token", pair, "requests/s", _REACH)


@contextmanager
def _sides(folder: Path, count: int) -> Iterator[tuple[_Side, _Side]]:
    ids: list[str] = []
    fill = partial(fill_catalog, count=count, ids=ids)
    with pocketbase(folder / "pb", count) as base, countermark(folder / "ours", fill) as service:
        ours = _Side(
            service.api_port,
            service.token,
            "/v1/files/",
            f"/v1/files/?start={{start}}&limit={_PAGE}",
            ids,
        )
        records = "/api/collections/files/records"
        page = f"{records}?perPage={_PAGE}&page={{ordinal}}&sort=created_at"
        yield ours, _Side(base.port, base.token, f"{records}/", page, base.ids)


def _page_rows(run: Run, ours: _Side, peer: _Side, count: int) -> Iterator[Row]:
    pages = count // _PAGE
    starts = {"first": 0, "middle": pages // 2, "last": pages - 1}
    yield from _first_touch_rows(run, ours, peer, starts, count)
    steady = {}
    for name, number in starts.items():
        steady[name] = alternate(
            partial(ours.page_ms, run, number), partial(peer.page_ms, run, number), run.rounds
        )
        yield _page_row(f"{name} page of {_PAGE:,} of {count:,}", steady[name])
    yield _flatness(steady["first"][0], steady["last"][0])


def _first_touch_rows(
    run: Run, ours: _Side, peer: _Side, starts: Mapping[str, int], count: int
) -> Iterator[Row]:
    # Neighbours, each asked for once and before anything else has touched the catalog.
    for name, number in starts.items():
        numbers = [abs(number - step) for step in range(_NEIGHBOURS)]
        pair = ours.first_touch_ms(run, numbers), peer.first_touch_ms(run, numbers)
        yield _page_row(f"{name} pages of {_PAGE:,} of {count:,}, first touch", pair)


def _page_row(what: str, pair: tuple[float, float]) -> Row:
    ours, peer = pair
    ratio = peer / ours
    reached = ratio >= _REACH
    return Row(what, f"{ours:,.1f} ms", f"{peer:,.1f} ms", ratio, f"≥ {_REACH} x", reached)


def _flatness(first: float, last: float) -> Row:
    ratio = last / first
    texts = (f"{last:,.1f} ms", f"{first:,.1f} ms")
    what = "our last page against our first"
    return Row(what, *texts, ratio, f"≤ {_FLAT} x", ratio <= _FLAT)
