"""Signed links: small ranges beside nginx's secure_link, redirects beside SeaweedFS's presigned
GET, and what a link costs that needs the ledger."""

import time
from collections.abc import Callable, Iterator
from ipaddress import IPv4Address
from pathlib import Path
from random import Random

from bench.peers import Nginx, nginx
from bench.results import Row, alternate, faster
from bench.run import Run, temporary_folder, write_content
from bench.seaweed import seaweed
from bench.service import Countermark, countermark
from bench.uploads import put_file
from countermark.links.netset.lists import AddressList, AddressLists, ListKind
from countermark.links.netset.ranges import Ranges, Span

_SIZE = 64 << 20
_CONNECTIONS = 16
_RANGE = "Range: bytes=1000000-1016383"  # 16 KiB
_REDIRECT_REACH = 2
_SMALL = 4096
_PREFIXES, _ASKED, _MOST_LOOKUP_US = 1_000_000, 20_000, 10


def rows(run: Run) -> Iterator[Row]:
    """Requests per second over kept connections."""
    with temporary_folder() as folder:
        content = folder / "content.bin"
        write_content(content, _SIZE)
        with nginx(folder / "nginx", folder) as peer, countermark(folder / "ours") as ours:
            file_id = put_file(run, ours, content)
            yield _ranges_row(run, ours, peer, file_id, content.name)
            yield _ledger_row(run, ours, file_id)
        with countermark(folder / "redirecting") as ours:
            yield _redirect_row(run, ours, folder)
    yield _lists_row(_PREFIXES // run.scale)


def _rate(run: Run, port: int, target: str, *headers: str) -> Callable[[], float]:
    def measure() -> float:
        return run.load.run(
            port,
            [f"GET {target}"],
            connections=_CONNECTIONS,
            seconds=run.seconds,
            headers=headers,
        ).per_second

    return measure


def _ranges_row(run: Run, ours: Countermark, peer: Nginx, file_id: str, name: str) -> Row:
    mine = _rate(run, ours.edge_port, ours.link(file_id), _RANGE)
    theirs = _rate(run, peer.port, peer.secured(name), _RANGE)
    what = "16 KiB ranges of a signed link, beside secure_link"
    note = "No figure was set: what is measured is the cost of a request, ours in Python."
    return _compared(what, alternate(mine, theirs, run.turns), note)


def _ledger_row(run: Run, ours: Countermark, file_id: str) -> Row:
    counted = ours.link(file_id, max_parallel_downloads="100")
    mine = _rate(run, ours.edge_port, counted, _RANGE)
    plain = _rate(run, ours.edge_port, ours.link(file_id), _RANGE)
    pair = alternate(mine, plain, run.turns)
    added = 1e6 / pair[0] - 1e6 / pair[1]
    note = f"The ledger (SQLite) adds {added:,.0f} µs to each request of both edges together."
    return _compared("the same with a parallel limit, beside our link without", pair, note)


def _compared(what: str, pair: tuple[float, float], note: str) -> Row:
    ours, peer = (f"{rate:,.0f} requests/s" for rate in pair)
    return Row(what, ours, peer, pair[0] / pair[1], "none set", reached=None, note=note)


def _redirect_row(run: Run, ours: Countermark, folder: Path) -> Row:
    content = folder / "small.bin"
    content.write_bytes(bytes(_SMALL))
    target = ours.signed_redirect(put_file(run, ours, content))
    with seaweed(folder / "weed") as peer:
        presigned = peer.presigned("small.bin", content.read_bytes())
        pair = alternate(
            _rate(run, ours.api_port, target), _rate(run, peer.port, presigned), run.turns
        )
    what = f"signed redirect, beside a presigned GET of {_SMALL:,} bytes"
    return faster(what, pair, "requests/s", _REDIRECT_REACH)


def _lists_row(prefixes: int) -> Row:
    chance = Random(20261122)  # noqa: S311 - repeatable, nothing secret
    firsts = [chance.getrandbits(32) & ~15 for _ in range(prefixes)]
    ranges = Ranges(Span(wide=False, first=first, last=first + 7) for first in firsts)
    lists = AddressLists([AddressList("bench", ListKind.ANONYMIZER, ranges)])
    asked = [str(IPv4Address(chance.getrandbits(32))) for _ in range(_ASKED)]
    asked += [str(IPv4Address(first)) for first in firsts[:_ASKED]]
    began = time.process_time()
    for address in asked:
        lists.reason(address)
    each = (time.process_time() - began) / len(asked) * 1e6
    what = f"an address looked up among {prefixes:,} prefixes, as anti_fraud does"
    return Row(what, f"{each:.1f} µs", "-", None, "microseconds", each < _MOST_LOOKUP_US)
