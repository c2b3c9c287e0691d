"""Masters of generated films: what is spliced from them plays, and killing costs little."""

from pathlib import Path
from random import Random

import av
import pytest

from countermark.autograph.fingerprint import unpack
from countermark.autograph.index import SpliceIndex, decode
from countermark.work.master_check import MasterFlawError, Splice, check_master
from countermark.work.master_request import Master
from support.masters import made_master
from support.media import make_video

FRAMES = 72


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_video(tmp_path_factory.mktemp("film") / "film.mp4", seconds=3.0, size=(160, 90))


@pytest.fixture(scope="module", params=[2, 4])
def master(
    request: pytest.FixtureRequest, film: Path, tmp_path_factory: pytest.TempPathFactory
) -> Master:
    return made_master(tmp_path_factory.mktemp("made"), film, variants=request.param)


def test_every_splice_is_one_film(master: Master) -> None:
    index = decode(master.index)
    random = Random(1)  # noqa: S311 - a test repeats
    for _ in range(4):
        choice = [random.randrange(index.variants) for _ in range(len(index))]
        video, sound = _decoded(master, index, choice)
        assert len(video) == FRAMES
        assert video == sorted(video)
        assert sound > 100_000


def test_the_index_says_where_segments_lie_and_when_they_are_shown(master: Master) -> None:
    index = decode(master.index)
    assert list(index.first_frames) == [0, 18, 36, 54, 72]
    seconds = [time * index.time_base[0] / index.time_base[1] for time in index.times]
    assert seconds == pytest.approx([0, 0.75, 1.5, 2.25, 3.0])
    assert master.blob.stat().st_size == index.variants * index.size
    assert all(index.carries)
    assert len(unpack(master.fingerprint).times) == FRAMES


def test_a_damaged_master_fails_its_check(master: Master, tmp_path: Path) -> None:
    index = decode(master.index)
    data = bytearray(master.blob.read_bytes())
    data[index.size + index.starts[2] + 40] ^= 0xFF
    damaged = tmp_path / "damaged"
    damaged.write_bytes(data)
    with pytest.raises(MasterFlawError):
        check_master(damaged, index.size, index.variants, index.starts, range(FRAMES))


def _decoded(master: Master, index: SpliceIndex, choice: list[int]) -> tuple[list[int], int]:
    with av.open(Splice(master.blob, index.size, index.starts, choice)) as container:
        video = [frame.pts or 0 for frame in container.decode(video=0)]
    with av.open(Splice(master.blob, index.size, index.starts, choice)) as container:
        sound = sum(frame.samples for frame in container.decode(audio=0))
    return video, sound
