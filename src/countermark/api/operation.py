"""One call of the API: what it takes, who may make it, what it answers.

An `Operation` is the one description of a call. The route, the checks before the handler, and
the call's part of the OpenAPI document are all made from it.
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar, cast
from urllib.parse import unquote_to_bytes

import msgspec
from litestar import Litestar, Request
from litestar.enums import HttpMethod, ScopeType
from litestar.handlers import ASGIRouteHandler, HTTPRouteHandler
from litestar.types import ASGIApp, HTTPScope, Receive, Scope, Send
from msgspec import Struct

from countermark.api import query as queries
from countermark.api.answers import Answer, Look, encode, not_allowed, to_preflight
from countermark.api.authorization import Caller, require
from countermark.api.failures import answer_to, look_of
from countermark.api.request import HttpRequest
from countermark.api.services import Services
from countermark.errors import (
    AccessError,
    InvalidRequestError,
    NoSuchRouteError,
    PublicError,
    UnsupportedMediaTypeError,
)
from countermark.ids import is_id
from countermark.links.addresses import client_address

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
_ID = "{id:str}"
_DIRECT = "direct"  # the key of a handler's own ASGI application among Litestar's options

Q = TypeVar("Q", bound=Struct)
B = TypeVar("B", bound=Struct)
Method = Literal["GET", "POST", "PUT", "DELETE"]


class Call(Generic[Q]):
    """A request that has passed the checks: its query, its caller, its way to the services."""

    __slots__ = ("_caller", "_request", "look", "operation", "query", "services")

    def __init__(
        self,
        operation: "Operation[Q]",
        services: Services,
        request: HttpRequest,
        query: Q,
        caller: Caller | None,
        look: Look,
    ) -> None:
        self.operation = operation
        self.services = services
        self.query = query
        self.look = look
        self._caller = caller
        self._request = request

    @property
    def caller(self) -> Caller:
        """Who calls."""
        if self._caller is None:
            raise AccessError
        return self._caller

    @property
    def user_id(self) -> str:
        """Whose things are looked at; "" for somebody unknown."""
        return self._caller.user_id if self._caller else ""

    @property
    def now(self) -> int:
        """The time, ms since the epoch."""
        return self.services.parts.clock()

    @property
    def raw_query(self) -> bytes:
        """The query string as it came."""
        raw: bytes = self._request.scope["query_string"]
        return raw

    @property
    def resource_id(self) -> str:
        """The id in the path; one that no resource can have is an unknown one."""
        found: str = self._request.scope["path_params"]["id"]
        if not is_id(found):
            raise self.operation.missing
        return found

    def path_after(self, prefix: str) -> str:
        """What follows in the path, decoded; it may itself have slashes, written as %2F or not.

        Raises:
            PublicError: the operation's error for invalid input: it is not UTF-8.
        """
        raw: bytes = self._request.scope["raw_path"]
        rest = raw.partition(prefix.encode())[2].removesuffix(b"/")
        try:
            return unquote_to_bytes(rest).decode()
        except UnicodeDecodeError as error:
            raise self.operation.invalid("path: not UTF-8") from error

    @property
    def address(self) -> str:
        """Of the client, as far as trusted proxies tell, in canonical text."""
        scope = self._request.scope
        peer = (scope["client"] or ("",))[0] or "::"
        forwarded = [value for key, value in scope["headers"] if key == b"x-forwarded-for"]
        trusted = self.services.parts.settings.trusted_proxies
        return client_address(peer, b",".join(forwarded).decode("latin-1"), trusted)

    def header(self, name: bytes) -> str:
        """The first header of this lower-case name, or ""."""
        return self._request.header(name)

    async def json_body(self, kind: type[B]) -> B:
        """The JSON body.

        Raises:
            UnsupportedMediaTypeError: the body says that it is something else.
            PublicError: the operation's error for invalid input.
        """
        body = await self._body(JSON)
        try:
            return msgspec.convert(_whole(msgspec.json.decode(body)), kind)
        except (msgspec.MsgspecError, RecursionError) as error:
            raise self.operation.invalid(f"body: {error}") from error
        except UnicodeDecodeError as error:
            raise self.operation.invalid("body: not UTF-8") from error

    async def form_body(self, kind: type[B]) -> B:
        """The form fields of the body, as strict as a query."""
        return queries.parse(await self._body(FORM), kind, self.operation.invalid)

    async def _body(self, accepted: str) -> bytes:
        given = self.header(b"content-type").partition(";")[0].strip().lower()
        if given not in {accepted, ""}:
            raise UnsupportedMediaTypeError(f"send {accepted}")
        return await self._request.body()


Handler = Callable[[Call[Q]], Awaitable[Struct | Answer]]
Answering = Callable[[HTTPScope, Receive], Awaitable[Answer]]
RouteHandler = ASGIRouteHandler | HTTPRouteHandler


@dataclass(frozen=True, kw_only=True)
class Operation(Generic[Q]):
    """What a call is.

    Attributes:
        method: GET (which stands for HEAD, too), POST, PUT or DELETE.
        path: Litestar's path; the parameter of a single resource is `{id:str}`, one that may have
            slashes `{NAME:path}`.
        handler: Does it; its docstring is the documentation.
        query: The query's parameters.
        answer: What comes back as JSON or XML; None if the body is empty or a document.
        media_type: Of a document.
        status: Of success.
        scopes: Any one of them is needed; None for calls without authorization.
        open: Whether a caller without a token is served, too, as somebody unknown.
        signable: Whether a signed URL is as good as a bearer token.
        form: What the form body consists of.
        body: What the JSON body consists of.
        invalid: What wrong input raises.
        missing: What an unknown id in the path raises.
        errors: What else may be raised.
        large: Whether answers can be so large that writing them would hold up other calls.
        redirects: Whether it may answer 302.
    """

    method: Method
    path: str
    handler: Handler[Q]
    query: type[Q]
    answer: type[Struct] | None = None
    media_type: str | None = None
    status: int = 200
    scopes: frozenset[str] | None = None
    open: bool = False
    signable: bool = False
    form: type[Struct] | None = None
    body: type[Struct] | None = None
    invalid: type[PublicError] = InvalidRequestError
    missing: type[PublicError] = NoSuchRouteError
    errors: tuple[type[PublicError], ...] = ()
    large: bool = False
    redirects: bool = False

    @property
    def name(self) -> str:
        """The operation's id."""
        return self.handler.__name__


def route_handlers(operations: Iterable[Operation[Any]], services: Services) -> list[RouteHandler]:
    """Litestar's handlers, one for each path."""
    by_path: dict[str, list[Operation[Any]]] = {}
    for operation in operations:
        by_path.setdefault(operation.path, []).append(operation)
    return [_route_handler(path, some, services) for path, some in by_path.items()]


class Shortcut:
    """Litestar, passed by where a path leaves nothing to find: it is fixed, or ends in an id.

    What Litestar does around a handler takes a quarter of the time of a short call, and none of
    it is for these, which make their own answers, errors included.

    Args:
        routed: finds all handlers.
        handlers: the same that it has.

    Attributes:
        routed: As given.
    """

    def __init__(self, routed: Litestar, handlers: Iterable[RouteHandler]) -> None:
        self.routed = routed
        self._fixed: dict[str, ASGIApp] = {}
        self._of_one: dict[str, ASGIApp] = {}  # by what stands before the id
        for handler in handlers:
            (path,) = handler.paths
            if "{" not in path:
                self._fixed[path] = self._fixed[path.rstrip("/") + "/"] = handler.opt[_DIRECT]
            elif path.removesuffix(_ID) == path.partition("{")[0]:
                self._of_one[path.removesuffix(_ID)] = handler.opt[_DIRECT]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        direct = self._direct(scope) if scope["type"] == ScopeType.HTTP else None
        await (direct or self.routed)(scope, receive, send)

    def _direct(self, scope: Scope) -> ASGIApp | None:
        path = scope["path"]
        if (fixed := self._fixed.get(path)) is not None:
            return fixed
        folder, slash, last = path.removesuffix("/").rpartition("/")
        if not last:
            return None
        scope["path_params"] = {"id": last}  # Litestar sets its own
        return self._of_one.get(folder + slash)


def _route_handler(path: str, operations: list[Operation[Any]], services: Services) -> RouteHandler:
    by_method: dict[str, Operation[Any]] = {operation.method: operation for operation in operations}
    methods = sorted(["OPTIONS", *by_method, *(["HEAD"] if "GET" in by_method else [])])
    preflight = to_preflight(methods)
    if "GET" in by_method:
        by_method["HEAD"] = by_method["GET"]

    async def answer(scope: HTTPScope, receive: Receive) -> Answer:
        method = scope["method"]
        if method == "OPTIONS":
            return preflight
        look = look_of(scope)
        if method not in by_method:
            return not_allowed(methods, look)
        try:
            return await _answer(by_method[method], services, HttpRequest(scope, receive), look)
        except Exception as error:  # noqa: BLE001 - every failure gets an answer in the error shape
            return answer_to(error, scope, look)

    return _routed(path, operations, methods, answer)


def _routed(
    path: str, operations: list[Operation[Any]], methods: list[str], answer: Answering
) -> RouteHandler:
    async def handle(scope: Scope, receive: Receive, send: Send) -> None:
        found = await answer(cast("HTTPScope", scope), receive)
        await found(scope, receive, send)

    async def handle_with_parameters(request: Request) -> ASGIApp:  # type: ignore[type-arg]  # user, auth and state types are not used
        return await answer(request.scope, request.receive)

    named = {"operations": operations, _DIRECT: handle}
    # Litestar's plain ASGI routes cannot have parameters.
    if "{" not in path:
        return ASGIRouteHandler(path, copy_scope=False, opt=named)(handle)
    return HTTPRouteHandler(
        path,
        http_method=[HttpMethod(method) for method in methods],
        status_code=200,  # never used: an answer carries its own
        opt=named,
    )(handle_with_parameters)


def _whole(value: Any) -> Any:
    """JSON has one kind of number: 2.0 is as good as 2 where an integer is wanted."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: _whole(item) for key, item in value.items()}
    return [_whole(item) for item in value] if isinstance(value, list) else value


async def _answer(
    operation: Operation[Any], services: Services, request: HttpRequest, look: Look
) -> Answer:
    caller = await _caller(operation, services, request)
    query = queries.parse_again(request.scope["query_string"], operation.query, operation.invalid)
    call = Call(operation, services, request, query, caller, look)
    result = await operation.handler(call)
    if isinstance(result, Answer):
        return result
    if operation.large:
        return await services.catalog.apart(lambda: encode(result, look, operation.status))
    return encode(result, look, operation.status)


async def _caller(
    operation: Operation[Any], services: Services, request: HttpRequest
) -> Caller | None:
    if operation.scopes is None:
        return None
    header = request.header(b"authorization")
    if operation.open and not header:
        return None
    if header or not operation.signable:
        caller = await services.authorization.by_token(header)
    else:
        scope = request.scope
        caller = await services.authorization.by_signature(scope["raw_path"], scope["query_string"])
    require(caller, operation.scopes)
    return caller
