"""Whose request it is."""

from aiohttp import web

from countermark.edge.parts import PARTS
from countermark.links.addresses import client_address
from countermark.links.client import Client, client_from


def address_of(request: web.Request) -> str:
    """The client's address in canonical text, as far as trusted proxies tell."""
    forwarded = ",".join(request.headers.getall("X-Forwarded-For", ()))
    return client_address(request.remote or "::", forwarded, request.app[PARTS].trusted_proxies)


def client_of(request: web.Request) -> Client:
    """The client with its browser's traits."""
    return client_from(address_of(request), request.headers)
