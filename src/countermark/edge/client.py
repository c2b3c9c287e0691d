"""Whose request it is."""

from aiohttp import web

from countermark.edge.parts import PARTS
from countermark.links.addresses import client_address


def address_of(request: web.Request) -> str:
    """The client's address in canonical text, as far as trusted proxies tell."""
    forwarded = ",".join(request.headers.getall("X-Forwarded-For", ()))
    return client_address(request.remote or "::", forwarded, request.app[PARTS].trusted_proxies)
