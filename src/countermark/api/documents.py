"""What describes the API itself: its OpenAPI document, the reference page, and its health."""

from typing import Any

import msgspec

from countermark.api.answers import Answer, page
from countermark.api.openapi import document
from countermark.api.operation import Call, Operation
from countermark.api.parameters import NoParameters, Presentation
from countermark.api.reference_page import render
from countermark.api.resources import HealthAnswer, ReadyAnswer
from countermark.errors import UnavailableError

# The page is one document without scripts; nothing may be loaded into it.
_PAGE_POLICY = (b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'")


async def show_health(_call: Call[Presentation]) -> HealthAnswer:
    """Tell that the API answers."""
    return HealthAnswer()


async def show_readiness(call: Call[Presentation]) -> ReadyAnswer:
    """Tell whether the API's database, store and ledger answer; it is 503 if one does not."""
    silent = await call.services.parts.ready()
    if silent:
        raise UnavailableError(f"not answering: {', '.join(silent)}")
    return ReadyAnswer()


def document_operations(others: tuple[Operation[Any], ...], api_url: str) -> list[Operation[Any]]:
    """The operations that show the documents of all operations, themselves among them."""
    answers: dict[str, Answer] = {}

    async def show_openapi(_call: Call[NoParameters]) -> Answer:
        """Show this document."""
        return answers["openapi"]

    async def show_reference(_call: Call[NoParameters]) -> Answer:
        """Show the reference as a page."""
        return answers["reference"]

    made: list[Operation[Any]] = [
        Operation(
            method="GET",
            path="/health",
            handler=show_health,
            query=Presentation,
            answer=HealthAnswer,
        ),
        Operation(
            method="GET",
            path="/ready",
            handler=show_readiness,
            query=Presentation,
            answer=ReadyAnswer,
        ),
        Operation(
            method="GET",
            path="/v1/openapi.json",
            handler=show_openapi,
            query=NoParameters,
            media_type="application/json",
        ),
        Operation(
            method="GET",
            path="/docs",
            handler=show_reference,
            query=NoParameters,
            media_type="text/html",
        ),
    ]
    described = document([*others, *made], api_url)
    encoded = msgspec.json.format(msgspec.json.encode(described), indent=2)
    answers["openapi"] = page(encoded, "application/json")
    answers["reference"] = page(render(described), "text/html; charset=utf-8", _PAGE_POLICY)
    return made
