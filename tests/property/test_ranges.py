"""Ranges, held against a model that works byte by byte."""

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from countermark.edge.ranges import MAX_RANGES, Span, UnsatisfiableError, parse_range

SIZES = st.integers(0, 60)
POSITIONS = st.integers(0, 80)
SPECS = st.one_of(
    st.builds("{}-{}".format, POSITIONS, POSITIONS),
    st.builds("{}-".format, POSITIONS),
    st.builds("-{}".format, POSITIONS),
)
HEADERS = st.lists(SPECS, min_size=1, max_size=8)


def bytes_meant(spec: str, size: int) -> set[int]:
    first, _, last = spec.partition("-")
    if not first:
        return set(range(max(0, size - int(last)), size))
    return set(range(int(first), min(size, int(last) + 1 if last else size)))


def is_backward(spec: str) -> bool:
    first, _, last = spec.partition("-")
    return bool(first and last) and int(last) < int(first)


@given(specs=HEADERS, size=SIZES)
def test_exactly_the_bytes_asked_for_are_sent_each_once(specs: list[str], size: int) -> None:
    assume(size > 0 and not any(map(is_backward, specs)))
    meant = set().union(*(bytes_meant(spec, size) for spec in specs))
    try:
        spans = parse_range("bytes=" + ",".join(specs), size)
    except UnsatisfiableError:
        assert not meant
        return
    assert spans is not None
    sent = [at for span in spans for at in range(span.start, span.stop)]
    assert len(sent) == len(set(sent))
    assert set(sent) == meant
    assert all(0 <= span.start < span.stop <= size for span in spans)


@given(header=st.text(max_size=40) | st.from_regex(r"bytes ?=[0-9,\- ]{0,30}"), size=SIZES)
@example(header="bytes=-" + "9" * 5000, size=5)
@example(header="bytes=" + "9" * 5000 + "-", size=5)
@example(header="bytes=٣-", size=5)
def test_no_header_can_do_more_than_be_refused(header: str, size: int) -> None:
    try:
        spans = parse_range(header, size)
    except UnsatisfiableError:
        return
    assert spans is None or all(0 <= span.start < span.stop <= size for span in spans)


@given(
    specs=HEADERS,
    size=SIZES,
    at=st.integers(0, 7),
    wrong=st.sampled_from(["x", "5-2", "--1", "1-2-3"]),
)
def test_one_wrong_range_makes_the_whole_header_be_ignored(
    specs: list[str], size: int, at: int, wrong: str
) -> None:
    specs.insert(at, wrong)
    assert parse_range("bytes=" + ",".join(specs), size) is None


def test_more_ranges_than_the_limit_are_refused() -> None:
    specs = [f"{2 * number}-{2 * number}" for number in range(MAX_RANGES + 1)]
    assert len(parse_range("bytes=" + ",".join(specs[1:]), 1000) or []) == MAX_RANGES
    with pytest.raises(UnsatisfiableError):
        parse_range("bytes=" + ",".join(specs), 1000)


def test_ranges_apart_keep_the_order_asked_for() -> None:
    assert parse_range("bytes=8-9, 0-1", 10) == [Span(8, 10), Span(0, 2)]


def test_ranges_that_overlap_or_touch_are_merged() -> None:
    assert parse_range("bytes=6-8,0-3,4-4,7-9", 20) == [Span(0, 5), Span(6, 10)]


def test_a_suffix_longer_than_the_blob_is_all_of_it() -> None:
    assert parse_range("bytes=-500", 10) == [Span(0, 10)]


def test_a_suffix_of_nothing_cannot_be_satisfied() -> None:
    with pytest.raises(UnsatisfiableError):
        parse_range("bytes=-0", 10)


def test_the_unit_may_be_in_any_case_and_others_are_ignored() -> None:
    assert parse_range("Bytes=0-0", 10) == [Span(0, 1)]
    assert parse_range("seconds=0-1", 10) is None


def test_of_an_empty_blob_a_suffix_is_ignored_and_a_range_is_not() -> None:
    assert parse_range("bytes=-5", 0) is None
    with pytest.raises(UnsatisfiableError):
        parse_range("bytes=0-", 0)
