"""A file's own subtitles are read in the sandbox, and come out as WebVTT."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from countermark.media.sandbox import ProbeLimits, Sandbox
from support.media import make_video


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(ProbeLimits(wall_seconds=20)) as sandbox:
        yield sandbox


def test_a_text_track_of_a_video_becomes_webvtt(sandbox: Sandbox, tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mkv", subtitles=True, language="ger")
    (track,) = sandbox.subtitles(path)
    assert track.language == "ger"
    assert track.webvtt == "WEBVTT\n\n00:00:00.500 --> 00:00:01.500\nHello\n\n"


def test_a_subtitle_file_becomes_webvtt(sandbox: Sandbox, tmp_path: Path) -> None:
    path = tmp_path / "a.srt"
    path.write_text(
        "1\n00:00:01,000 --> 00:00:02,500\n<i>Één</i> & zwei\nthird\n\n"
        "2\n00:01:00,000 --> 00:01:01,000\nlast\n\n"
    )
    (track,) = sandbox.subtitles(path)
    assert "00:00:01.000 --> 00:00:02.500\nÉén &amp; zwei\nthird\n\n" in track.webvtt
    assert track.webvtt.endswith("00:01:00.000 --> 00:01:01.000\nlast\n\n")


@pytest.mark.parametrize("content", [b"", b"\0" * 1000, b"WEBVTT\n\nnonsense"])
def test_what_has_no_subtitles_gives_none(sandbox: Sandbox, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(content)
    assert sandbox.subtitles(path) == ()


def test_a_video_with_subtitles_is_described(sandbox: Sandbox, tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mkv", subtitles=True, language="ger")
    outcome = sandbox.describe(path, "a.mkv")
    assert outcome.problem is None
    assert outcome.description.subtitle_tracks is not None


def test_a_video_without_subtitles_gives_none(sandbox: Sandbox, tmp_path: Path) -> None:
    assert sandbox.subtitles(make_video(tmp_path / "a.mp4")) == ()


def test_a_track_ends_before_it_becomes_too_long(sandbox: Sandbox, tmp_path: Path) -> None:
    path = tmp_path / "a.srt"
    cues = (
        f"{second}\n00:{second // 60:02}:{second % 60:02},0 --> 00:59:00,0\n{'long ' * 2000}\n\n"
        for second in range(300)
    )
    path.write_text("".join(cues))
    (track,) = sandbox.subtitles(path)
    assert 900_000 < len(track.webvtt) <= (1 << 20) + 100


def test_an_answer_over_the_limit_gives_none(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mkv", subtitles=True)
    with Sandbox(ProbeLimits(output_bytes=10)) as sandbox:
        assert sandbox.subtitles(path) == ()
