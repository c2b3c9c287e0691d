"""Damaged inputs, mutated at random, end in an output or in a public error, and leave nothing."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from countermark.errors import PublicError
from countermark.media.encoding_settings import (
    AudioSettings,
    EncodingSettings,
    ThumbnailSettings,
    VideoSettings,
)
from countermark.media.thumbnailing import ThumbnailsRequest
from countermark.media.thumbnails import make_thumbnails
from countermark.media.transcode import transcode
from countermark.media.transcoding import TranscodeRequest
from support.media import make_video

WISHES = (
    EncodingSettings("mp4", VideoSettings(speed="fastest"), AudioSettings()),
    EncodingSettings("mkv", VideoSettings("copy"), AudioSettings("copy")),
)
mutations = st.lists(
    st.tuples(st.floats(0, 0.9999), st.binary(min_size=0, max_size=8), st.integers(0, 300)),
    min_size=1,
    max_size=8,
)


@pytest.fixture(scope="module", params=["mp4", "mkv", "ts"])
def sample(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("media") / f"a.{request.param}"
    return make_video(path, seconds=0.5, size=(64, 48), gop=6).read_bytes()


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(mutations=mutations, wish=st.sampled_from(WISHES), start=st.sampled_from([0, 200]))
def test_whatever_an_input_is_it_ends_well(
    sample: bytes,
    tmp_path: Path,
    mutations: list[tuple[float, bytes, int]],
    wish: EncodingSettings,
    start: int,
) -> None:
    data = bytearray(sample)
    for place, patch, lost in mutations:
        at = int(place * len(data))
        data[at : at + max(len(patch), lost)] = patch  # overwritten, or cut out
    source, output, folder = (tmp_path / name for name in ("fuzzed", "made", "folder"))
    source.write_bytes(data)
    output.unlink(missing_ok=True)
    folder.mkdir(exist_ok=True)
    try:
        request = TranscodeRequest(str(source), str(output), wish, start_time=start)
        assert transcode(request, lambda _: None).size == output.stat().st_size
    except PublicError:
        assert not output.exists()
    try:
        asked = ThumbnailsRequest(str(source), str(folder), ThumbnailSettings(number=2))
        assert make_thumbnails(asked, lambda _: None).images
    except PublicError:
        pass
