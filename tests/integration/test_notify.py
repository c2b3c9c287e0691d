"""Notifications reach clients' servers, signed, again and again, and never inside."""

import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from aiohttp import web

from countermark.catalog.database import Database
from countermark.catalog.job_tables import notifications
from countermark.catalog.tables import pipelines
from countermark.catalog.writers import jobs
from countermark.work.notify import FIRST_PAUSE_MS, LONGEST_PAUSE_MS, notify, pause_ms, signature
from countermark.work.parts import WorkParts, now_ms
from countermark.work.places.limits import TransferLimits
from support.elsewhere import http_server
from support.hub import Hub


@pytest.fixture
def hub(sqlite_database: Database, tmp_path: Path) -> Iterator[Hub]:
    hub = Hub(sqlite_database, tmp_path)
    hub.parts = replace(hub.parts, transfers=TransferLimits(internal=True))
    yield hub
    hub.sandbox.close()


def _cancelled(hub: Hub, url: str) -> None:
    """A job that ends, and that its pipeline is to be told of."""
    with hub.database.write() as connection:
        connection.execute(sa.update(pipelines).values(ping_urls={"error": url}))
        job = hub.owner.add_job(connection, now=now_ms())
        jobs.cancel(connection, job.user_id, job.id, now_ms())


def _waiting(hub: Hub) -> list[int]:
    """When notifications are due, in milliseconds from now."""
    with hub.database.read() as connection:
        due = connection.scalars(sa.select(notifications.c.due_at))
        return [at - now_ms() for at in due]


def _make_due(hub: Hub) -> None:
    with hub.database.write() as connection:
        connection.execute(sa.update(notifications).values(due_at=now_ms()))


def test_a_server_that_fails_is_told_again_until_it_takes_it(hub: Hub) -> None:
    answers, bodies = [500, 302, 200], []

    async def listen(request: web.Request) -> web.StreamResponse:
        bodies.append(await request.read())
        status = answers.pop(0)
        return web.Response(status=status, headers={"Location": "/elsewhere"})

    with http_server(listen) as url:
        _cancelled(hub, f"{url}/hook")
        for attempt in (1, 2):
            notify(hub.parts)
            (due,) = _waiting(hub)
            assert 0 < due <= pause_ms(attempt)
            _make_due(hub)
        notify(hub.parts)
    assert (_waiting(hub), len(bodies), len(set(bodies))) == ([], 3, 1)


def test_the_signature_is_that_of_the_time_and_the_body() -> None:
    signed = signature(b"{}", b"secret", 1_700_000_000_999)
    expected = hmac.new(b"secret", b"1700000000.{}", hashlib.sha256).hexdigest()
    assert signed == f"t=1700000000,v1={expected}"


def test_pauses_grow_to_an_hour() -> None:
    pauses = [pause_ms(attempts) for attempts in range(1, 40)]
    assert pauses[0] == FIRST_PAUSE_MS
    assert pauses == sorted(pauses)
    assert pauses[-1] == LONGEST_PAUSE_MS


def test_after_a_day_it_is_given_up(hub: Hub) -> None:
    _cancelled(hub, "http://127.0.0.1:1/")
    notify(hub.parts)
    assert len(_waiting(hub)) == 1
    with hub.database.write() as connection:
        connection.execute(sa.update(notifications).values(due_at=0, ends_at=now_ms()))
    notify(hub.parts)
    assert _waiting(hub) == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "0.0.0.0", "169.254.169.254"])
def test_nothing_is_sent_to_where_only_this_machine_can_reach(hub: Hub, host: str) -> None:
    asked = []

    async def listen(request: web.Request) -> web.StreamResponse:
        asked.append(request.path)
        return web.Response()

    closed: WorkParts = replace(hub.parts, transfers=TransferLimits())
    with http_server(listen) as url:
        _cancelled(hub, f"http://{host}:{url.rpartition(':')[2]}/")
        notify(closed)
    assert (asked, _waiting(hub)) == ([], [])
