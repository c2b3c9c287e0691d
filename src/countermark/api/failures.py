"""From anything that was raised to an answer in the error shape."""

import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.types import Scope

from countermark.api.answers import Answer, Headers, Look, of_error
from countermark.api.negotiation import asked_format
from countermark.errors import (
    BodyTooLargeError,
    InternalError,
    InvalidRequestError,
    MethodNotAllowedError,
    NoSuchRouteError,
    PublicError,
    StorageError,
    UnavailableError,
    UnsupportedMediaTypeError,
)

_BY_STATUS: dict[int, type[PublicError]] = {
    400: InvalidRequestError,
    404: NoSuchRouteError,
    405: MethodNotAllowedError,
    413: BodyTooLargeError,
    415: UnsupportedMediaTypeError,
    503: UnavailableError,
}
_RETRY: Headers = ((b"retry-after", b"2"),)

log = structlog.get_logger(__name__)


def look_of(scope: Scope) -> Look:
    """How the caller wants the answer, even to a request that is wrong."""
    given = [value for name, value in scope["headers"] if name == b"accept"]
    accept = b",".join(given).decode("latin-1") if given else ""
    raw_query = scope["query_string"]
    human = b"human=true" in raw_query and b"human=true" in raw_query.split(b"&")
    return Look(asked_format(raw_query, accept), human)


def answer_to(error: Exception, scope: Scope, look: Look) -> Answer:
    """Answer with the error; what is not the caller's fault goes to the log with its cause."""
    public = _public(error)
    if public.status >= 500:  # noqa: PLR2004 - the server's errors
        log.error("request failed", method=scope.get("method"), path=scope["path"], exc_info=error)
    return of_error(public, look, _RETRY if public.status == 503 else _allow(error))  # noqa: PLR2004 - as above


def framework_error(request: Request, error: Exception) -> Response[bytes]:  # type: ignore[type-arg]  # user, auth and state types are not used
    """Litestar's exception handler: for what is raised outside our own calls, such as 404."""
    answer = answer_to(error, request.scope, look_of(request.scope))
    headers = {name.decode(): value.decode("latin-1") for name, value in answer.headers}
    media_type = headers.pop("content-type")
    return Response(answer.body, status_code=answer.status, headers=headers, media_type=media_type)


def _public(error: Exception) -> PublicError:
    if isinstance(error, PublicError):
        return error
    if isinstance(error, HTTPException):
        return _BY_STATUS.get(error.status_code, InternalError)()
    if isinstance(error, StorageError):
        return UnavailableError("try again later")
    return InternalError()


def _allow(error: Exception) -> Headers:
    if not isinstance(error, HTTPException):
        return ()
    allowed = (error.headers or {}).get("allow")
    return ((b"allow", allowed.encode()),) if allowed else ()
