"""Errors in the type that the client prefers."""

import json
from xml.etree import ElementTree as ET

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from countermark.edge.failures import HTML, JSON, XML, as_public_errors, preferred, write
from countermark.errors import RangeNotSatisfiableError, UploadRefusedError, public_errors

CHROME = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("", JSON),
        ("*/*", JSON),
        (CHROME, HTML),
        ("application/xml", XML),
        ("text/xml", XML),
        ("application/json;q=0.5, application/xml", XML),
        ("application/xml;q=0.5, application/json", JSON),
        ("video/webm,video/*;q=0.9,*/*;q=0.5", JSON),
        ("image/png", JSON),
        ("text/html;q=0", JSON),
        ("text/html;q=nonsense", HTML),
    ],
)
def test_the_first_of_the_best_is_taken(accept: str, kind: str) -> None:
    assert preferred(accept) == kind


@pytest.mark.parametrize("error", list(public_errors()), ids=lambda error: error.__name__)
def test_every_error_can_be_written_in_every_type(error: type[UploadRefusedError]) -> None:
    shown = error('a <detail> & "more" \0 \ud800')
    body = json.loads(write(error("x"), JSON))["error"]
    assert body == {"error_code": error.code, "error_message": error.message, "error_detail": "x"}
    root = ET.fromstring(write(shown, XML))  # noqa: S314 - our own text
    assert root.findtext("error/error_code") == error.code
    assert root.findtext("error/error_detail", "").startswith('a <detail> & "more"')
    assert "&lt;detail&gt;" in write(shown, HTML)


async def _leaving(request: web.Request) -> web.StreamResponse:
    raise ConnectionResetError


async def test_a_client_that_has_left_is_no_error_of_ours() -> None:
    answer = await as_public_errors(make_mocked_request("GET", "/d/x/y"), _leaving)
    assert answer.status == 200


def test_a_detail_that_is_not_there_is_left_out() -> None:
    assert "error_detail" not in write(RangeNotSatisfiableError(), JSON)
    assert "error_detail" not in write(RangeNotSatisfiableError(), XML)
