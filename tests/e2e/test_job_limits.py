"""Jobs that need more than there is: each ends as a failure that says so, and leaves nothing."""

import random
import wave
from pathlib import Path

import pytest

from support.media import make_repeated, make_video
from support.service import until
from support.workers import farm

pytestmark = pytest.mark.e2e
_MIB = 1 << 20


def _noise(path: Path, seconds: int) -> Path:
    """Sound that no encoder without loss makes smaller: 187.5 KiB a second."""
    with wave.open(str(path), "wb") as out:
        out.setnchannels(2)
        out.setsampwidth(2)
        out.setframerate(48_000)
        for second in range(seconds):
            out.writeframes(random.Random(second).randbytes(192_000))  # noqa: S311 - repeatable
    return path


@pytest.mark.parametrize(
    ("settings", "file_bytes", "preset", "code"),
    [
        ({"job_seconds": "1"}, None, "vp9-480p", "0x0260006"),
        ({"job_memory_bytes": str(96 * _MIB)}, None, "h264-360p", "0x0260007"),
        ({"job_output_bytes": str(2 * _MIB)}, None, "audio-flac", "0x0260008"),
        # What errs as a full disk does, but for the worker only.
        ({}, 16 * _MIB, "audio-flac", "0x0240004"),
    ],
    ids=["time", "memory", "output", "disk"],
)
def test_a_job_that_needs_more_than_there_is_fails_with_a_reason_and_leaves_nothing(
    tmp_path: Path, settings: dict[str, str], file_bytes: int | None, preset: str, code: str
) -> None:
    with farm(tmp_path, **settings) as workers:
        if "audio" in preset:
            path = _noise(tmp_path / "a.wav", 100)
        else:
            # Ten minutes, which no machine converts to VP9 in the second that it is given.
            clip = make_video(tmp_path / "clip.mp4", seconds=6.0, size=(640, 360))
            path = make_repeated(tmp_path / "a.mp4", clip, 100)
        job = workers.ask(workers.put_file(path, path.name), [preset])
        workers.start(file_bytes=file_bytes)
        workers.wait_for_end(1, 60)
        ended = workers.job(job.id)
        assert (ended.status, ended.error_code) == ("FAILURE", code), ended.error_msg
        assert ended.error_msg
        assert ended.error_msg.endswith(".")
        until(lambda: not any(workers.litter().values()), 30, "all litter to be gone")
