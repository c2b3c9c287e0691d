"""Damaged media, mutated at random, end in a right or a plain description."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from countermark.media.sandbox import ProbeLimits, Sandbox
from support.media import make_video

mutations = st.lists(
    st.tuples(st.floats(0, 0.9999), st.binary(min_size=1, max_size=8)), min_size=1, max_size=12
)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(ProbeLimits(wall_seconds=20)) as sandbox:
        yield sandbox


@pytest.fixture(scope="module", params=["mp4", "mkv", "ts"])
def sample(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("media") / f"a.{request.param}"
    return make_video(path, seconds=0.25, size=(64, 48)).read_bytes()


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(mutations=mutations)
def test_mutated_media_always_come_to_a_description(
    sandbox: Sandbox, sample: bytes, tmp_path: Path, mutations: list[tuple[float, bytes]]
) -> None:
    data = bytearray(sample)
    for place, patch in mutations:
        at = int(place * len(data))
        data[at : at + len(patch)] = patch
    path = tmp_path / "fuzzed"
    path.write_bytes(data)
    outcome = sandbox.describe(path, "fuzzed")
    assert outcome.description.subtype in ("video", "audio", "other")
    assert outcome.problem is None or outcome.description.subtype == "other"
