"""The API as a Litestar application.

Litestar routes; what a call takes and answers is ours (operation.py), so that every byte of an
answer, errors included, has one maker.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from litestar import Litestar

from countermark.api import (
    backtraces,
    codecs,
    downloads,
    files,
    job_events,
    jobs,
    pipelines,
    presets,
    stats,
    tokens,
    uploads,
    users_applications,
)
from countermark.api.documents import document_operations
from countermark.api.failures import framework_error
from countermark.api.operation import Operation, Shortcut, route_handlers
from countermark.api.parts import ApiParts
from countermark.api.services import build_services

RESOURCES: tuple[Operation[Any], ...] = (
    *tokens.OPERATIONS,
    *files.OPERATIONS,
    *downloads.OPERATIONS,
    *uploads.OPERATIONS,
    *pipelines.OPERATIONS,
    *jobs.OPERATIONS,
    *job_events.OPERATIONS,
    *presets.OPERATIONS,
    *codecs.OPERATIONS,
    *backtraces.OPERATIONS,
    *stats.OPERATIONS,
    *users_applications.OPERATIONS,
)


def build_app(parts: ApiParts) -> Shortcut:
    """Build the API on its parts."""
    services = build_services(parts)
    operations = [*RESOURCES, *document_operations(RESOURCES, parts.settings.api_url)]

    @asynccontextmanager
    async def lifespan(_app: Litestar) -> AsyncIterator[None]:
        yield
        services.catalog.close()

    handlers = route_handlers(operations, services)
    routed = Litestar(
        handlers,
        exception_handlers={Exception: framework_error},
        lifespan=[lifespan],
        # The document is our own; see openapi.py.
        openapi_config=None,
        logging_config=None,
    )
    return Shortcut(routed, handlers)
