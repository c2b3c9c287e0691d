"""The API as a Litestar application.

Litestar routes; what a call takes and answers is ours (operation.py), so that every byte of an
answer, errors included, has one maker.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp

from countermark.api import downloads, files, pipelines, tokens, uploads, users_applications_jobs
from countermark.api.answers import empty
from countermark.api.documents import document_operations
from countermark.api.failures import framework_error
from countermark.api.operation import Operation, route_handler
from countermark.api.parts import ApiParts
from countermark.api.services import build_services

RESOURCES: tuple[Operation[Any], ...] = (
    *tokens.OPERATIONS,
    *files.OPERATIONS,
    *downloads.OPERATIONS,
    *uploads.OPERATIONS,
    *pipelines.OPERATIONS,
    *users_applications_jobs.OPERATIONS,
)
_PREFLIGHT_SECONDS = b"86400"


def build_app(parts: ApiParts) -> Litestar:
    """Build the API on its parts."""
    services = build_services(parts)
    operations = [*RESOURCES, *document_operations(RESOURCES, parts.settings.api_url)]

    @asynccontextmanager
    async def lifespan(_app: Litestar) -> AsyncIterator[None]:
        yield
        services.catalog.close()

    handlers = [route_handler(operation, services) for operation in operations]
    return Litestar(
        [*handlers, *_options_handlers(operations)],
        exception_handlers={Exception: framework_error},
        lifespan=[lifespan],
        # The document is our own; see openapi.py.
        openapi_config=None,
        logging_config=None,
    )


def _options_handlers(operations: list[Operation[Any]]) -> list[HTTPRouteHandler]:
    """OPTIONS for each path, which is also the preflight of browsers (Fetch standard, CORS)."""
    methods: dict[str, set[str]] = {}
    for operation in operations:
        also = {"GET", "HEAD"} if operation.method == "GET" else {operation.method}
        methods.setdefault(operation.path, {"OPTIONS"}).update(also)
    return [_options_handler(path, sorted(allowed)) for path, allowed in methods.items()]


def _options_handler(path: str, methods: list[str]) -> HTTPRouteHandler:
    allowed = ", ".join(methods).encode()
    answer = empty(
        204,
        (
            (b"allow", allowed),
            (b"access-control-allow-methods", allowed),
            (b"access-control-allow-headers", b"Authorization, Content-Type, Accept"),
            (b"access-control-max-age", _PREFLIGHT_SECONDS),
        ),
    )

    async def options() -> ASGIApp:
        return answer

    return HTTPRouteHandler(path, http_method="OPTIONS", status_code=204)(options)
