"""Spans are cut into batches that hold the very same bytes."""

from hypothesis import given
from hypothesis import strategies as st

from countermark.edge.fetching import batched

spans = st.lists(
    st.tuples(st.integers(0, 1000), st.integers(1, 500)).map(lambda pair: (pair[0], sum(pair)))
)


@given(spans, st.integers(1, 50), st.integers(1, 300))
def test_batches_are_full_but_for_the_last(
    given: list[tuple[int, int]], first: int, most: int
) -> None:
    batches = list(batched(given, first, most))
    sizes = [sum(stop - start for start, stop in batch) for batch in batches]
    assert all(size == (most if at else first) for at, size in enumerate(sizes[:-1]))
    assert not sizes or 0 < sizes[-1] <= (most if len(sizes) > 1 else first)
    flat = [byte for batch in batches for start, stop in batch for byte in range(start, stop)]
    assert flat == [byte for start, stop in given for byte in range(start, stop)]
