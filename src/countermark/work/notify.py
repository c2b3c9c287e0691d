"""Telling clients' servers what became of jobs.

What is to be told stands in the catalog, so nothing is lost and no job waits for it. A server that
does not take it (any answer but 2xx) is tried again, later and later, for a day. It may be told
twice; the notification's id says so.
"""

import asyncio
import hashlib
import hmac
from collections.abc import Sequence

import aiohttp
import structlog
from yarl import URL

from countermark.catalog.job_records import NotificationRecord
from countermark.catalog.readers import accounts as read_accounts
from countermark.catalog.writers import notifications as write_notifications
from countermark.storage.place import shown
from countermark.work.parts import WorkParts, now_ms
from countermark.work.public_http import RedirectError, check_host, is_internal, new_session

log = structlog.get_logger()

AT_ONCE = 20
FIRST_PAUSE_MS = 5_000
LONGEST_PAUSE_MS = 3_600_000
TIMES = aiohttp.ClientTimeout(total=15, sock_connect=5)
SIGNATURE_HEADER = "Countermark-Signature"
_GONE = 410
_TAKEN = range(200, 300)


def notify(parts: WorkParts) -> None:
    """Send what is due."""
    while True:
        with parts.database.write() as connection:
            due = write_notifications.take_due(connection, now_ms(), AT_ONCE)
        if due:
            asyncio.run(_send_all(parts, due))
        if len(due) < AT_ONCE:
            return


def signature(body: bytes, secret: bytes, now: int) -> str:
    """What proves to a server that the body is ours, and when it was sent.

    `t=SECONDS,v1=HEX`: the HMAC-SHA256, with the application's secret as key, of the time as it
    stands there, a full stop, and the body.

    Args:
        body: What is posted.
        secret: The application's client secret, decoded.
        now: Milliseconds since the epoch.
    """
    seconds = str(now // 1000)
    signed = hmac.new(secret, seconds.encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"t={seconds},v1={signed}"


def pause_ms(attempts: int) -> int:
    """How long to wait after so many attempts, milliseconds."""
    return min(FIRST_PAUSE_MS << min(attempts - 1, 20), LONGEST_PAUSE_MS)


async def _send_all(parts: WorkParts, due: Sequence[NotificationRecord]) -> None:
    internal = parts.transfers.internal
    async with new_session(TIMES, internal=internal) as session:
        await asyncio.gather(*(_send(parts, session, one) for one in due))


async def _send(
    parts: WorkParts, session: aiohttp.ClientSession, notification: NotificationRecord
) -> None:
    problem, final = None, True
    try:
        status = await _post(parts, session, notification)
        if status not in _TAKEN:
            problem, final = f"answers {status}", status == _GONE
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
        final = is_internal(error) or isinstance(error, RedirectError)
        problem = "is not at a public address" if is_internal(error) else "does not answer"
    _settle(parts, notification, problem, final=final)


async def _post(
    parts: WorkParts, session: aiohttp.ClientSession, notification: NotificationRecord
) -> int:
    url = URL(notification.url)
    check_host(url, internal=parts.transfers.internal)
    with parts.database.read() as connection:
        application = read_accounts.application(connection, notification.application_id)
    if application is None:
        return _GONE
    headers = {
        "Content-Type": "application/json",
        SIGNATURE_HEADER: signature(notification.body, application.client_secret, now_ms()),
    }
    # A redirect would lead the signed text to somebody else.
    async with session.post(
        url, data=notification.body, headers=headers, allow_redirects=False
    ) as answer:
        return answer.status


def _settle(
    parts: WorkParts, notification: NotificationRecord, problem: str | None, *, final: bool
) -> None:
    due_at = now_ms() + pause_ms(notification.attempts)
    given_up = problem is not None and (final or due_at > notification.ends_at)
    if problem is not None:
        log.warning(
            "notification not taken",
            notification=notification.id,
            job=notification.job_id,
            url=shown(notification.url),
            problem=problem,
            given_up=given_up,
        )
    with parts.database.write() as connection:
        if problem is None or given_up:
            write_notifications.settle(connection, notification.id)
        else:
            write_notifications.put_off(connection, notification.id, due_at)
    parts.metrics.notifications.labels("taken" if problem is None else "refused").inc()
