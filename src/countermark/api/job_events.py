"""How far a job is, as it happens: server-sent events (WHATWG HTML, 9.2).

One event `job` with the whole resource whenever it has changed, and a comment in between so that
proxies keep the connection open. The stream ends with the job; a client that connects again after
that gets 204, which tells it to stay away.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Any

import msgspec
from litestar.types import Receive, Scope, Send
from sqlalchemy import Connection

from countermark.api import scopes
from countermark.api.answers import CROSS_ORIGIN, Answer, empty
from countermark.api.job_resources import JobAnswer
from countermark.api.operation import Call, Operation
from countermark.api.parameters import Expansion
from countermark.api.presenting import presenter
from countermark.catalog.job_records import JobRecord
from countermark.catalog.job_states import ENDED
from countermark.catalog.readers import jobs
from countermark.errors import InvalidJobInputError, JobNotFoundError, UnavailableError

LOOK_SECONDS = 0.5
COMMENT_SECONDS = 15.0
MOST_STREAMS = 500  # of one process
_COMMENT = b": still there\n\n"
_HEADERS = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
    (b"x-content-type-options", b"nosniff"),
    *CROSS_ORIGIN,
]
_encoder = msgspec.json.Encoder()


class EventStream(Answer):
    """An answer that goes on."""

    __slots__ = ("_events",)

    open = 0  # of this process

    def __init__(self, events: Callable[[], AsyncIterator[bytes]]) -> None:
        super().__init__(200, tuple(_HEADERS))
        self._events = events

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send events until there are no more or the client has gone."""
        await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        if scope.get("method") != "HEAD":
            EventStream.open += 1
            try:
                await _until_first(self._sent(send), _gone(receive))
            finally:
                EventStream.open -= 1
        with suppress(OSError):
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _sent(self, send: Send) -> None:
        async for event in self._events():
            await send({"type": "http.response.body", "body": event, "more_body": True})


async def follow_job(call: Call[Expansion]) -> Answer:
    """Follow a job: a stream of server-sent events.

    Each event `job` holds the job as GET shows it, in JSON. The stream ends with the job.
    """
    first = await _look(call)
    last = call.header(b"last-event-id")
    if first.status in ENDED and last == _event_id(first):
        return empty(204)
    if EventStream.open >= MOST_STREAMS:
        raise UnavailableError("too many streams are open; ask for the job from time to time")
    return EventStream(lambda: _events(call, last))


async def _events(call: Call[Expansion], last: str) -> AsyncIterator[bytes]:
    quiet = 0.0
    while True:
        try:
            job = await _look(call)
        except (JobNotFoundError, UnavailableError):
            return
        if _event_id(job) != last:
            last, quiet = _event_id(job), 0.0
            yield await _event(call, job)
        elif quiet >= COMMENT_SECONDS:
            quiet = 0.0
            yield _COMMENT
        if job.status in ENDED:
            return
        await asyncio.sleep(LOOK_SECONDS)
        quiet += LOOK_SECONDS


def _event_id(job: JobRecord) -> str:
    return f"{job.attempt}-{job.updated_at}-{job.status}-{job.percentage}"


async def _event(call: Call[Expansion], job: JobRecord) -> bytes:
    def write(connection: Connection) -> bytes:
        return _encoder.encode(JobAnswer(presenter(connection, call, [job]).job(job)))

    data = await call.services.catalog.read(write)
    return b"id: %s\nevent: job\ndata: %s\n\n" % (_event_id(job).encode(), data)


async def _look(call: Call[Any]) -> JobRecord:
    job_id, user_id = call.resource_id, call.caller.user_id
    job = await call.services.catalog.read(lambda connection: jobs.job(connection, user_id, job_id))
    if job is None:
        raise JobNotFoundError
    return job


async def _until_first(*works: Awaitable[None]) -> None:
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


OPERATIONS: tuple[Operation[Any], ...] = (
    Operation(
        method="GET",
        path="/v1/jobs/{id:str}/events",
        handler=follow_job,
        query=Expansion,
        media_type="text/event-stream",
        scopes=scopes.READ_PIPELINES,
        invalid=InvalidJobInputError,
        missing=JobNotFoundError,
    ),
)
