"""What an edge counts, and how it hands it on."""

import asyncio

import pytest

from countermark.edge.meter import MOST_REFUSALS, Meter
from countermark.edge.transfers import Transfer
from countermark.links.client import Client
from countermark.links.coverage import Coverage
from support.links import link
from support.traffic import MemoryTraffic

NOON = 20_000 * 86_400_000 + 43_200_000
_NO_CONNECTION = asyncio.Transport()
FIRST, SECOND = "192.0.2.1", "192.0.2.2"


@pytest.fixture
def traffic() -> MemoryTraffic:
    return MemoryTraffic()


@pytest.fixture
def meter(traffic: MemoryTraffic) -> Meter:
    return Meter(traffic, lambda: NOON)


def transfer(client: str, **changes: object) -> Transfer:
    return Transfer(link(**changes), Client(client), _NO_CONNECTION)


async def test_bytes_are_counted_by_file_application_and_day(
    meter: Meter, traffic: MemoryTraffic
) -> None:
    meter.sent(transfer(FIRST), 0, 100)
    meter.sent(transfer(SECOND), 50, 200)
    assert await meter.flush()
    (batch,) = traffic.batches.values()
    (sent,) = batch.sent
    assert (sent.bytes, sent.downloads) == (250, 0)
    assert sent.counted.day == NOON - 43_200_000
    assert sent.counted.file == link().file


async def test_ranges_that_cover_the_file_within_a_second_are_one_download(
    meter: Meter, traffic: MemoryTraffic
) -> None:
    meter.sent(transfer(FIRST), 400, 1000)
    meter.sent(transfer(FIRST), 0, 500)
    await meter.flush()
    assert (traffic.bytes, traffic.downloads) == (1100, 1)


async def test_two_clients_with_half_of_the_file_each_are_no_download(
    meter: Meter, traffic: MemoryTraffic
) -> None:
    meter.sent(transfer(FIRST), 0, 500)
    meter.sent(transfer(SECOND), 500, 1000)
    await meter.flush()
    (batch,) = traffic.batches.values()
    assert traffic.downloads == 0
    assert {tuple(Coverage.unpack(one.spans).spans()) for one in batch.delivered} == {
        ((0, 500),),
        ((500, 1000),),
    }


async def test_a_client_is_not_named_in_a_batch(meter: Meter, traffic: MemoryTraffic) -> None:
    meter.sent(transfer(FIRST), 0, 500)
    await meter.flush()
    assert FIRST not in repr(traffic.batches)


async def test_an_outage_loses_nothing_and_counts_nothing_twice(
    meter: Meter, traffic: MemoryTraffic
) -> None:
    traffic.failing = True
    meter.sent(transfer(FIRST), 0, 500)
    assert not await meter.flush()
    meter.sent(transfer(FIRST), 500, 1000)
    assert not await meter.flush()
    traffic.failing = False
    await meter.close()
    assert traffic.bytes == 1000


async def test_tags_are_counted_apart(meter: Meter, traffic: MemoryTraffic) -> None:
    meter.sent(transfer(FIRST, tag="k1"), 0, 10)
    meter.sent(transfer(FIRST, tag="k2"), 0, 20)
    await meter.flush()
    (batch,) = traffic.batches.values()
    assert {one.counted.tag: one.bytes for one in batch.sent} == {"k1": 10, "k2": 20}


async def test_nothing_sent_is_nothing_appended(meter: Meter, traffic: MemoryTraffic) -> None:
    assert await meter.flush()
    assert not traffic.batches


async def test_a_refused_client_is_counted_by_link_address_and_reason(
    meter: Meter, traffic: MemoryTraffic
) -> None:
    for address, code in ((FIRST, "0x0250007"), (SECOND, "0x0250007"), (FIRST, "0x0250007")):
        meter.refused(link(), Client(address), code)
    assert await meter.flush()
    (batch,) = traffic.batches.values()
    assert {(one.address, one.times, one.at) for one in batch.refused} == {
        (FIRST, 2, NOON),
        (SECOND, 1, NOON),
    }
    assert not batch.sent


async def test_very_many_addresses_fill_no_batch(meter: Meter, traffic: MemoryTraffic) -> None:
    for number in range(MOST_REFUSALS + 10):
        meter.refused(link(), Client(f"192.0.{number // 256}.{number % 256}"), "0x0250007")
    meter.refused(link(), Client("192.0.0.0"), "0x0250007")
    await meter.flush()
    (batch,) = traffic.batches.values()
    assert len(batch.refused) == MOST_REFUSALS
    assert sum(one.times for one in batch.refused) == MOST_REFUSALS + 1
