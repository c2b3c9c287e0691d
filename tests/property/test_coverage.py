"""Sets of byte spans behave as sets of bytes."""

from hypothesis import given
from hypothesis import strategies as st

from countermark.links.coverage import MOST_SPANS, Coverage

SPANS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=30)


def covered(coverage: Coverage) -> set[int]:
    return {byte for start, stop in coverage.spans() for byte in range(start, stop)}


@given(SPANS)
def test_a_coverage_holds_the_bytes_of_all_spans_added(spans: list[tuple[int, int]]) -> None:
    coverage = Coverage()
    for start, stop in spans:
        coverage.add(start, stop)
    assert covered(coverage) == {byte for start, stop in spans for byte in range(start, stop)}


@given(SPANS)
def test_spans_are_sorted_and_none_touches_the_next(spans: list[tuple[int, int]]) -> None:
    coverage = Coverage()
    for start, stop in spans:
        coverage.add(start, stop)
    borders = [border for span in coverage.spans() for border in span]
    assert borders == sorted(set(borders))


@given(SPANS, st.integers(0, 60))
def test_a_file_is_whole_when_no_byte_of_it_is_missing(
    spans: list[tuple[int, int]], size: int
) -> None:
    coverage = Coverage()
    for start, stop in spans:
        coverage.add(start, stop)
    assert coverage.is_whole(size) == (set(range(size)) <= covered(coverage))


@given(SPANS)
def test_unpacking_gives_back_what_was_packed(spans: list[tuple[int, int]]) -> None:
    coverage = Coverage()
    for start, stop in spans:
        coverage.add(start, stop)
    assert list(Coverage.unpack(coverage.pack()).spans()) == list(coverage.spans())


def test_every_second_byte_of_a_large_file_takes_bounded_memory_and_never_says_too_much() -> None:
    coverage = Coverage()
    for byte in range(0, 8 * MOST_SPANS, 2):
        coverage.add(byte, byte + 1)
    spans = list(coverage.spans())
    assert len(spans) == MOST_SPANS
    assert all(start % 2 == 0 and stop == start + 1 for start, stop in spans)
