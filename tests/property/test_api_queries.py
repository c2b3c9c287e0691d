"""Strict queries, page links, and XML, for all inputs."""

import contextlib
import re
from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from msgspec import Meta, Struct, field

from countermark.api.negotiation import accepted_format, asked_format
from countermark.api.object_keys import KEY_PATTERN, object_key_problem
from countermark.api.paging import page_links, with_start
from countermark.api.query import parse
from countermark.api.xml import to_xml
from countermark.errors import InvalidFileInputError


class Query(Struct, frozen=True, kw_only=True):
    """One parameter of each kind."""

    flag: bool = False
    count: Annotated[int, Meta(ge=0, le=5000)] = 1000
    kind: Literal["a", "b"] | None = None
    some: tuple[str, ...] = ()
    text: Annotated[str, Meta(min_length=1)] | None = None
    dotted: str | None = field(name="dotted.id", default=None)


text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)
values = st.fixed_dictionaries(
    {},
    optional={
        "flag": st.booleans(),
        "count": st.integers(0, 5000),
        "kind": st.sampled_from(["a", "b"]),
        "text": text,
        "dotted.id": text,
    },
)


def written(known: dict[str, Any]) -> str:
    return urlencode(
        {
            name: str(value).lower() if isinstance(value, bool) else value
            for name, value in known.items()
        }
    )


@given(values, st.lists(st.tuples(st.sampled_from(["x", "flags", "é"]), text)))
def test_what_is_written_is_read_back(
    known: dict[str, Any], unknown: list[tuple[str, str]]
) -> None:
    raw = "&".join(filter(None, [written(known), urlencode(unknown)])).encode()
    renamed = {name.replace("dotted.id", "dotted"): value for name, value in known.items()}
    assert parse(raw, Query, InvalidFileInputError) == Query(**renamed)


@given(st.binary() | text.map(str.encode))
def test_any_bytes_are_read_or_refused_with_a_detail(raw: bytes) -> None:
    detail: str | None = "read"
    try:
        parse(raw, Query, InvalidFileInputError)
    except InvalidFileInputError as error:
        detail = error.detail
    assert detail


@given(values.filter(bool))
def test_a_known_parameter_given_twice_is_refused(known: dict[str, Any]) -> None:
    raw = f"{written(known)}&{written(known)}".encode()
    with pytest.raises(InvalidFileInputError, match="more than once"):
        parse(raw, Query, InvalidFileInputError)


@given(st.integers(0, 10_000), st.integers(1, 5000), st.integers(0, 10_000))
def test_page_links_lead_where_they_say(start: int, limit: int, total: int) -> None:
    links = page_links("https://h/v1/files/", b"start=7&limit=9", start, limit, total)

    def at(link: Any) -> int:
        return int(dict(parse_qsl(urlsplit(link.href).query))["start"])

    assert at(links.first) == 0
    assert at(links.last) % limit == 0
    assert at(links.last) < max(total, 1) <= at(links.last) + limit or total == 0
    assert (links.next is None) == (start + limit >= total)
    if links.next:
        assert at(links.next) == start + limit
    assert (links.prev is None) == (start == 0)
    if links.prev:
        assert 0 <= at(links.prev) < start
        assert at(links.prev) <= at(links.last)


@given(st.integers(0, 300), st.integers(1, 50))
def test_following_next_visits_everything_once(total: int, limit: int) -> None:
    seen, start = [], 0
    while True:
        seen += range(start, min(start + limit, total))
        link = page_links("h", b"", start, limit, total).next
        if link is None:
            break
        start = int(link.href.partition("start=")[2])
    assert seen == list(range(total))


@given(
    st.lists(st.tuples(st.sampled_from(["limit", "x", "expand", "starts"]), text)),
    st.integers(0, 99),
    st.booleans(),
)
def test_links_carry_the_callers_parameters(
    given_pairs: list[tuple[str, str]],
    start: int,
    has_start: bool,  # noqa: FBT001 - Hypothesis gives it
) -> None:
    raw = urlencode([*given_pairs, *([("start", "5")] if has_start else [])])
    pairs = parse_qsl(with_start(raw.encode(), start), keep_blank_values=True)
    assert sorted(pairs) == sorted([*given_pairs, ("start", str(start))])


@given(st.binary())
def test_any_query_makes_a_link_of_url_characters(raw: bytes) -> None:
    assert re.fullmatch(r"[\w%/?:@!$&'()*+,;=.~-]*", with_start(raw, 0), re.ASCII)


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.dictionaries(st.sampled_from(["id", "name", "user"]), inner)
        | st.lists(inner).map(lambda items: {"files": items})
    ),
    max_leaves=20,
)


@given(st.dictionaries(st.sampled_from(["file", "user"]), json_like), st.booleans())
def test_any_answer_makes_well_formed_xml(
    answer: dict[str, Any],
    human: bool,  # noqa: FBT001 - Hypothesis gives it
) -> None:
    root = etree.fromstring(to_xml(answer, human=human))
    assert [child.tag for child in root] == list(answer)


@given(st.text())
def test_text_survives_xml_but_for_what_xml_forbids(content: str) -> None:
    read = etree.fromstring(to_xml({"name": content}, human=False)).findtext("name")
    expected = re.sub("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", content)
    assert read == expected


@given(st.text())
def test_any_accept_header_gives_a_format(accept: str) -> None:
    assert accepted_format(accept) in {"json", "xml"}
    assert asked_format(b"a=1&format=xml", accept) == "xml"


@given(st.text(st.sampled_from("a./\\ \n\0äé"), max_size=12))
def test_the_documented_pattern_of_object_keys_is_the_rule(key: str) -> None:
    assert (object_key_problem(key) is None) == bool(re.match(KEY_PATTERN, key) and key[-1] != "\n")


@given(st.text(max_size=2000))
def test_an_accepted_object_key_is_a_relative_path_without_surprises(key: str) -> None:
    with contextlib.suppress(UnicodeEncodeError):
        if object_key_problem(key) is None:
            assert len(key.encode()) <= 1024
            assert all(0 < len(part.encode()) <= 255 for part in key.split("/"))
            assert not {".", ".."} & set(key.split("/"))
            assert quote(key, safe="/") not in {"", "/"}
