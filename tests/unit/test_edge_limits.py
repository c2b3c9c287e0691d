"""How many connections an edge takes."""

import resource

import pytest

from countermark.edge.limits import most_connections


@pytest.mark.parametrize(
    ("wanted", "descriptors", "most"),
    [
        (10_000, resource.RLIM_INFINITY, 10_000),
        (10_000, 1 << 20, 10_000),
        (10_000, 1024, 384),
        (100, 1024, 100),
        (100, 64, 1),
    ],
)
def test_each_connection_may_need_two_descriptors(wanted: int, descriptors: int, most: int) -> None:
    assert most_connections(wanted, descriptors) == most
