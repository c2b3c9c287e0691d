"""Conditional requests, by the table of RFC 9110 section 13."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countermark.edge.conditions import Verdict, evaluate, http_date, range_applies

ETAG = "abc"
MODIFIED = 1_700_000_000
SAME, EARLIER, LATER = http_date(MODIFIED), http_date(MODIFIED - 1), http_date(MODIFIED + 1)
SEND, NOT_MODIFIED, FAILED = Verdict.SEND, Verdict.NOT_MODIFIED, Verdict.FAILED


@pytest.mark.parametrize(
    ("headers", "verdict"),
    [
        ({}, SEND),
        ({"If-Match": '"abc"'}, SEND),
        ({"If-Match": "*"}, SEND),
        ({"If-Match": '"x", "abc"'}, SEND),
        ({"If-Match": '"x"'}, FAILED),
        ({"If-Match": 'W/"abc"'}, FAILED),
        ({"If-Match": "abc"}, FAILED),
        ({"If-Unmodified-Since": SAME}, SEND),
        ({"If-Unmodified-Since": EARLIER}, FAILED),
        ({"If-Match": '"abc"', "If-Unmodified-Since": EARLIER}, SEND),
        ({"If-None-Match": '"abc"'}, NOT_MODIFIED),
        ({"If-None-Match": 'W/"abc"'}, NOT_MODIFIED),
        ({"If-None-Match": "*"}, NOT_MODIFIED),
        ({"If-None-Match": ', "x" ,"abc"'}, NOT_MODIFIED),
        ({"If-None-Match": '"x"'}, SEND),
        ({"If-Modified-Since": SAME}, NOT_MODIFIED),
        ({"If-Modified-Since": LATER}, NOT_MODIFIED),
        ({"If-Modified-Since": EARLIER}, SEND),
        ({"If-None-Match": '"x"', "If-Modified-Since": SAME}, SEND),
        ({"If-Match": '"x"', "If-None-Match": '"abc"'}, FAILED),
        ({"If-Modified-Since": "yesterday"}, SEND),
        ({"If-Unmodified-Since": "99999"}, SEND),
    ],
)
def test_conditions_are_weighed_as_the_rfc_says(headers: dict[str, str], verdict: Verdict) -> None:
    assert evaluate(headers, ETAG, MODIFIED) is verdict


@pytest.mark.parametrize(
    ("if_range", "applies"),
    [
        (None, True),
        ('"abc"', True),
        ('"x"', False),
        ('W/"abc"', False),
        (SAME, True),
        (LATER, False),
        (EARLIER, False),
        ("abc", False),
        ("", False),
    ],
)
def test_a_range_counts_only_for_the_very_same_blob(if_range: str | None, *, applies: bool) -> None:
    assert range_applies(if_range, ETAG, MODIFIED) is applies


@given(
    name=st.sampled_from(
        ["If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since", "If-Range"]
    ),
    value=st.text(max_size=60),
)
def test_no_header_can_do_more_than_be_ignored(name: str, value: str) -> None:
    assert evaluate({name: value}, ETAG, MODIFIED) in Verdict
    assert range_applies(value, ETAG, MODIFIED) in {True, False}
