"""What the edge says of a file: its name, its type, and what a browser may do with it."""

import re
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countermark.edge.headers import content_type, describe, disposition
from support.links import link


@given(name=st.text(min_size=1, max_size=80))
def test_a_disposition_is_one_header_that_carries_the_name(name: str) -> None:
    name = name.encode("utf-8", "replace").decode()
    value = disposition(name, inline=False)
    assert re.fullmatch(r"[\x20-\x7e]+", value)
    parts = re.fullmatch(
        r"""attachment; filename="([^"\\%]*)"(?:; filename\*=UTF-8''(.*))?""", value
    )
    assert parts is not None
    assert (unquote(parts[2]) if parts[2] is not None else parts[1]) == name


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("clip.mp4", 'inline; filename="clip.mp4"'),
        ("Füße.mp4", "inline; filename=\"Fu_e.mp4\"; filename*=UTF-8''F%C3%BC%C3%9Fe.mp4"),
        ('a"b\\c.mp4', "inline; filename=\"a_b_c.mp4\"; filename*=UTF-8''a%22b%5Cc.mp4"),
        ("100%.mp4", "inline; filename=\"100_.mp4\"; filename*=UTF-8''100%25.mp4"),
        ("a\r\nb", "inline; filename=\"a__b\"; filename*=UTF-8''a%0D%0Ab"),
    ],
)
def test_names_get_an_ascii_fallback(name: str, value: str) -> None:
    assert disposition(name, inline=True) == value


@pytest.mark.parametrize(
    "mime_type", ["text/html", "image/svg+xml", "application/xml", "application/xhtml+xml", "x/y"]
)
def test_what_could_run_gets_an_origin_without_powers(mime_type: str) -> None:
    assert "sandbox" in describe(link(mime_type=mime_type))["Content-Security-Policy"]


@pytest.mark.parametrize("mime_type", ["video/mp4", "audio/mpeg", "image/png", "text/plain"])
def test_what_only_plays_is_left_alone(mime_type: str) -> None:
    assert "Content-Security-Policy" not in describe(link(mime_type=mime_type))


@pytest.mark.parametrize("mime_type", ["", "nonsense", "a/b\r\nX: y", "video/quicktime, (x)"])
def test_a_type_that_could_break_the_header_is_replaced(mime_type: str) -> None:
    assert content_type(link(mime_type=mime_type)) == "application/octet-stream"


def test_types_with_parameters_are_types() -> None:
    assert content_type(link(mime_type="text/plain; charset=utf-8")) == "text/plain; charset=utf-8"
