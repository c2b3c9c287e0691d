"""What an edge sends over loopback is what it says that it sent."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from countermark.edge.meter import Meter
from countermark.edge.metrics import EdgeMetrics
from countermark.edge.transfers import Transfers
from countermark.storage.local import LocalStore
from support.edge import Edge, running_edge
from support.traffic import MemoryTraffic

DATA = bytes(range(256)) * 400


@pytest.fixture
def traffic() -> MemoryTraffic:
    return MemoryTraffic()


@pytest.fixture
def meter(traffic: MemoryTraffic) -> Meter:
    return Meter(traffic, lambda: 1_700_000_000_000)


@pytest.fixture
def metrics() -> EdgeMetrics:
    return EdgeMetrics()


@pytest.fixture
async def edge(tmp_path: Path, meter: Meter, metrics: EdgeMetrics) -> AsyncIterator[Edge]:
    listening = Transfers(meter, metrics)
    store = LocalStore(tmp_path)
    async with running_edge(store, transfers=listening, meter=meter, metrics=metrics) as edge:
        yield edge


async def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


async def test_a_whole_download_is_one_and_its_bytes_are_the_files(
    edge: Edge, traffic: MemoryTraffic
) -> None:
    path = await edge.keep(DATA)
    assert (await edge.get(path)).body == DATA
    await wait_for(lambda: traffic.bytes == len(DATA))
    assert traffic.downloads == 1


async def test_ranges_count_their_bytes_without_what_the_edge_puts_around_them(
    edge: Edge, traffic: MemoryTraffic, meter: Meter
) -> None:
    path = await edge.keep(DATA)
    assert (await edge.get(path, Range="bytes=0-9,1000-1019")).status == 206
    assert (await edge.get(path, Range="bytes=-5")).status == 206
    await meter.flush()
    assert (traffic.bytes, traffic.downloads) == (35, 0)


async def test_ranges_that_make_up_the_file_are_a_download(
    edge: Edge, traffic: MemoryTraffic, meter: Meter
) -> None:
    path = await edge.keep(DATA)
    half = len(DATA) // 2
    await edge.get(path, Range=f"bytes={half}-")
    await edge.get(path, Range=f"bytes=0-{half - 1}")
    await meter.flush()
    assert (traffic.bytes, traffic.downloads) == (len(DATA), 1)


async def test_heads_refusals_and_what_the_client_has_already_are_no_bytes(
    edge: Edge, traffic: MemoryTraffic, meter: Meter
) -> None:
    path = await edge.keep(DATA)
    etag = (await edge.ask("HEAD", path)).headers["ETag"]
    assert (await edge.get(path, If_None_Match=etag)).status == 304
    assert (await edge.get(path.replace("/d/", "/d/A"))).status == 403
    assert (await edge.get(path, Range=f"bytes={len(DATA)}-")).status == 416
    await meter.flush()
    assert not traffic.batches


async def test_an_edge_that_stops_hands_on_all_that_it_sent(
    tmp_path: Path, traffic: MemoryTraffic, meter: Meter
) -> None:
    traffic.failing = True
    async with running_edge(LocalStore(tmp_path), transfers=Transfers(meter), meter=meter) as edge:
        path = await edge.keep(DATA)
        await edge.get(path)
        await meter.flush()
        await edge.get(path)
        traffic.failing = False
    assert traffic.bytes == 2 * len(DATA)


async def test_answers_and_bytes_are_counted_for_prometheus(
    edge: Edge, metrics: EdgeMetrics
) -> None:
    path = await edge.keep(DATA)
    await edge.get(path)
    await edge.get("/d/wrong/clip.mp4")
    counted = {
        (sample.name, *sample.labels.values()): sample.value
        for metric in (metrics.answers, metrics.bytes, metrics.running)
        for family in metric.collect()
        for sample in family.samples
    }
    assert counted["countermark_edge_answers_total", "200", ""] == 1
    assert counted["countermark_edge_answers_total", "403", "0x0250001"] == 1
    assert counted["countermark_edge_sent_bytes_total",] == len(DATA)
    await wait_for(lambda: metrics.running.collect()[0].samples[0].value == 0)


async def test_an_edge_names_what_does_not_answer_behind_it(tmp_path: Path) -> None:
    silent: tuple[str, ...] = ()

    async def ready() -> tuple[str, ...]:
        return silent

    async with running_edge(LocalStore(tmp_path), ready=ready) as edge:
        assert (await edge.get("/ready")).status == 200
        silent = ("database", "ledger")
        answer = await edge.get("/ready")
        assert answer.status == 503
        assert b"not answering: database, ledger" in answer.body
        assert (await edge.get("/health")).status == 200
