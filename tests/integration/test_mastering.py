"""Masters of generated films: whatever is spliced from them plays, and a killed maker goes on."""

from collections.abc import Callable
from fractions import Fraction
from os import SEEK_CUR
from pathlib import Path
from random import Random
from typing import Any

import av
import numpy as np
import pytest
from msgspec import structs
from numpy.typing import NDArray

from countermark.autograph.fingerprint import unpack
from countermark.autograph.index import decode
from countermark.errors import (
    DamagedMediaError,
    MasterFlawError,
    MediaSettingsError,
    MissingTrackError,
    NotMediaError,
)
from countermark.media.child_protocol import ChildLimits
from countermark.media.encoding_settings import VideoSettings
from countermark.work import mastering
from countermark.work.master_check import Splice, check_master
from countermark.work.master_file import Layout, Seal, write_master
from countermark.work.master_request import Master
from countermark.work.master_segments import SegmentFolder
from countermark.work.mastering import make_master
from countermark.work.masters import mastered
from support.masters import asked_master, made_master
from support.media import make_audio, make_image, make_video
from support.odd_video import hdr, interlaced, two_languages

FRAMES = 72


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_video(tmp_path_factory.mktemp("film") / "film.mp4", seconds=3.0, size=(160, 90))


@pytest.fixture(scope="module", params=[2, 4])
def master(
    request: pytest.FixtureRequest, film: Path, tmp_path_factory: pytest.TempPathFactory
) -> Master:
    return made_master(tmp_path_factory.mktemp("made"), film, variants=request.param)


def layout_of(master: Master) -> Layout:
    index = decode(Path(master.index).read_bytes())
    return Layout(Path(master.blob), index.variants, index.size, list(index.starts))


def test_every_splice_is_one_film_with_its_sound(master: Master) -> None:
    layout = layout_of(master)
    random = Random(1)  # noqa: S311 - a test repeats
    for _ in range(4):
        choice = [random.randrange(layout.variants) for _ in layout.starts]
        video, sound = decoded(layout, choice)
        assert len(video) == FRAMES
        assert video == sorted(set(video))
        assert sound == pytest.approx(3 * 48_000, abs=3_000)


def test_the_index_says_where_segments_lie_and_when_they_are_shown(master: Master) -> None:
    index = decode(Path(master.index).read_bytes())
    assert list(index.first_frames) == [0, 18, 36, 54, 72]
    seconds = [time * index.time_base[0] / index.time_base[1] for time in index.times]
    assert seconds == pytest.approx([0, 0.75, 1.5, 2.25, 3.0])
    assert Path(master.blob).stat().st_size == index.variants * index.size
    assert all(index.carries)
    assert len(unpack(Path(master.fingerprint).read_bytes()).times) == FRAMES


def test_a_damaged_master_fails_its_check(master: Master, tmp_path: Path) -> None:
    layout = layout_of(master)
    data = bytearray(layout.blob.read_bytes())
    at = layout.size + layout.starts[2] + 40
    data[at : at + 16] = bytes(byte ^ 0xFF for byte in data[at : at + 16])
    damaged = tmp_path / "damaged"
    damaged.write_bytes(data)
    with pytest.raises(MasterFlawError):
        check_master(Layout(damaged, layout.variants, layout.size, layout.starts), range(FRAMES))


def test_one_bit_that_is_not_the_encoder_s_fails_the_check(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def damaging(*arguments: Any) -> tuple[Layout, list[Seal]]:
        layout, seals = write_master(*arguments)
        offset, length = seals[1].places[-1].tolist()
        with layout.blob.open("r+b") as file:
            file.seek(layout.size + offset + length - 3)
            byte = file.read(1)[0]
            file.seek(-1, SEEK_CUR)
            file.write(bytes([byte ^ 1]))
        return layout, seals

    monkeypatch.setattr(mastering, "write_master", damaging)
    with pytest.raises(MasterFlawError, match="segment 1 of variant 1"):
        made_master(tmp_path, film)


def test_a_bit_lost_in_a_kept_segment_fails_the_check(film: Path, tmp_path: Path) -> None:
    request = asked_master(tmp_path, film)

    def stop(part: float) -> None:
        if part > 0.9:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_master(request, stop)
    folder = SegmentFolder(tmp_path / "segments")
    first = next(folder.segments())
    lost = first.variants[0][:-3] + bytes([first.variants[0][-3] ^ 1]) + first.variants[0][-2:]
    folder.keep(0, structs.replace(first, variants=(lost, *first.variants[1:])))
    with pytest.raises(MasterFlawError, match="segment 0 of variant 0"):
        make_master(request, lambda _: None)


def test_a_maker_killed_in_the_middle_goes_on_and_makes_the_same(
    film: Path, tmp_path: Path
) -> None:
    whole = made_master(tmp_path / "whole", film, segment_seconds=0.25)
    request = asked_master(tmp_path / "killed", film, segment_seconds=0.25)

    def stop(part: float) -> None:
        if part > 0.2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        mastered(request, ChildLimits(), stop)
    finished = sorted((tmp_path / "killed" / "segments").glob("*.segment"))
    assert finished
    times = [path.stat().st_mtime_ns for path in finished]
    seen: list[int] = []

    def watch(part: float) -> None:
        if not seen and part > 0.9:
            seen.extend(path.stat().st_mtime_ns for path in finished if path.exists())

    again = mastered(request, ChildLimits(), watch)
    assert seen in ([], times)
    assert Path(again.blob).read_bytes() == Path(whole.blob).read_bytes()


Oddity = Callable[[Path], Path]


@pytest.mark.parametrize(
    ("film_of", "size", "frames"),
    [
        pytest.param(
            lambda p: make_video(p / "a.mkv", codec="ffv1", pix_fmt="yuv444p", size=(161, 91)),
            (160, 90),
            48,
            id="odd",
        ),
        pytest.param(
            lambda p: make_video(p / "a.mp4", rotation=(90, False, False), size=(160, 90)),
            (90, 160),
            48,
            id="turned",
        ),
        pytest.param(
            lambda p: make_video(p / "a.mkv", codec="ffv1", pix_fmt="yuv420p10le", size=(160, 90)),
            (160, 90),
            48,
            id="ten bits",
        ),
        pytest.param(
            lambda p: make_video(p / "a.mkv", size=(160, 90), audio_codec="pcm_s16le"),
            (160, 90),
            48,
            id="sound to be encoded",
        ),
        pytest.param(
            lambda p: make_video(p / "a.mp4", size=(160, 90), audio=False), (160, 90), 48, id="mute"
        ),
        pytest.param(
            lambda p: make_video(p / "a.mkv", size=(160, 90), times=[0, 1, 2, 9, 30, 31, 47]),
            (160, 90),
            7,
            id="variable rate",
        ),
        pytest.param(
            lambda p: make_video(p / "a.mkv", size=(160, 90), times=[0], audio=False),
            (160, 90),
            1,
            id="one frame",
        ),
        pytest.param(
            lambda p: make_video(p / "a.mp4", size=(160, 90), pixel_aspect=Fraction(4, 3)),
            (212, 90),
            48,
            id="wide pixels",
        ),
        pytest.param(
            lambda p: make_video(p / "a.mkv", codec="ffv1", size=(2, 2), audio=False),
            (2, 2),
            48,
            id="four pixels",
        ),
        pytest.param(
            lambda p: make_image(p / "a.png", codec="png", size=(160, 90)),
            (160, 90),
            1,
            id="an image",
        ),
        pytest.param(lambda p: interlaced(p / "a.mkv", frames=30), (320, 160), 30, id="interlaced"),
        pytest.param(lambda p: hdr(p / "a.mkv", frames=30), (128, 96), 30, id="high dynamic range"),
    ],
)
def test_an_odd_film_becomes_an_upright_master_of_square_pixels(
    film_of: Oddity, size: tuple[int, int], frames: int, tmp_path: Path
) -> None:
    master = made_master(tmp_path / "made", film_of(tmp_path))
    layout = layout_of(master)
    with av.open(spliced(layout, [0] * len(layout.starts))) as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height) == size
        assert stream.sample_aspect_ratio in {1, None}
        assert sum(1 for _ in container.decode(stream)) == frames


def test_fields_are_woven_and_high_dynamic_range_is_mapped(tmp_path: Path) -> None:
    woven = layout_of(made_master(tmp_path / "woven", interlaced(tmp_path / "i.mkv", frames=30)))
    with av.open(spliced(woven, [0] * len(woven.starts))) as container:
        frames = [frame.to_ndarray(format="gray").astype(int) for frame in container.decode()]
    combs = np.abs(frames[4][1:-1] * 2 - frames[4][:-2] - frames[4][2:]).mean()
    assert combs < 2  # of 16 where the rows are from two moments
    mapped = layout_of(made_master(tmp_path / "mapped", hdr(tmp_path / "h.mkv", frames=30)))
    with av.open(spliced(mapped, [0] * len(mapped.starts))) as container:
        context = container.streams.video[0].codec_context
        assert (context.colorspace, context.color_primaries, context.color_trc) == (1, 1, 1)
        assert context.pix_fmt == "yuv420p"


@pytest.mark.parametrize(
    "video",
    [
        pytest.param(VideoSettings(speed="fastest"), id="without a look-ahead"),
        pytest.param(VideoSettings(speed="slowest"), id="all of x264"),
        pytest.param(VideoSettings(speed="fast", quality=0), id="without loss"),
        pytest.param(VideoSettings(speed="fast", quality=1), id="fine"),
        pytest.param(VideoSettings(speed="fast", quality=51), id="coarse"),
    ],
)
def test_variants_show_the_same_film_however_they_are_encoded(
    video: VideoSettings, film: Path, tmp_path: Path
) -> None:
    # x264 is told of a path in this folder among parameters that colons part.
    layout = layout_of(made_master(tmp_path / "it's 1:2\\3", film, video=video))
    source = shown_lumas_of(film)
    errors = [
        np.mean([np.abs(a.astype(int) - b).mean() for a, b in zip(shown, source, strict=True)])
        for shown in (shown_lumas(layout, [one] * len(layout.starts)) for one in range(2))
    ]
    assert errors[1] == pytest.approx(errors[0], rel=0.15)
    assert max(errors) < 1 or video.quality == 51


def test_every_sound_track_is_kept_with_its_language(tmp_path: Path) -> None:
    source = two_languages(tmp_path / "a.mkv", (160, 90))
    layout = layout_of(made_master(tmp_path / "made", source))
    with av.open(spliced(layout, [0, 1, 0])) as container:
        sounds = container.streams.audio
        assert [one.metadata["language"] for one in sounds] == ["eng", "deu"]
        heard = [sum(f.samples for f in decoded_track(layout, number)) for number in range(2)]
    assert heard == pytest.approx([96_000, 96_000], abs=3_000)


def test_a_still_picture_s_copies_are_alike_but_for_what_it_can_hide(tmp_path: Path) -> None:
    source = make_video(
        tmp_path / "a.mp4", size=(160, 90), luma=lambda _s, x, y: (x * 7 + y * 13) % 200 + 20
    )
    layout = layout_of(made_master(tmp_path / "made", source))
    shown = [shown_lumas(layout, [one] * len(layout.starts)) for one in range(2)]
    assert len(shown[0]) == len(shown[1]) == 48
    # Codecs err, but no more than a step or so apart: nothing pulses where nothing moves.
    assert max(abs(float(a.mean() - b.mean())) for a, b in zip(*shown, strict=True)) < 0.2


def test_eight_variants_are_as_many_films(film: Path, tmp_path: Path) -> None:
    master = made_master(tmp_path, film, variants=8)
    layout = layout_of(master)
    copies = {
        b"".join(frame.tobytes() for frame in shown_lumas(layout, [one] * len(layout.starts)))
        for one in range(8)
    }
    assert len(copies) == 8
    assert Path(master.blob).stat().st_size == 8 * master.size


def test_damaged_pictures_in_the_middle_are_left_out_and_told(tmp_path: Path) -> None:
    source = make_video(tmp_path / "a.mpg", size=(160, 90), codec="mpeg2video", audio_codec="mp2")
    data = bytearray(source.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 600] = bytes(range(256)) * 2 + bytes(88)
    source.write_bytes(data)
    layout = layout_of(made_master(tmp_path / "made", source))
    assert 30 <= len(decoded(layout, [0] * len(layout.starts))[0]) <= 48


@pytest.mark.parametrize(
    ("source_of", "error"),
    [
        pytest.param(lambda p: _written(p / "a", b"no film" * 100), NotMediaError, id="text"),
        pytest.param(lambda p: _written(p / "a", b""), NotMediaError, id="empty"),
        pytest.param(
            lambda p: make_audio(p / "a.mp3", codec="libmp3lame"), MissingTrackError, id="sound"
        ),
        pytest.param(
            lambda p: _cut_off(make_video(p / "a.mkv", seconds=8)), DamagedMediaError, id="cut off"
        ),
    ],
)
def test_what_cannot_be_mastered_is_refused_with_a_reason(
    source_of: Oddity, error: type[Exception], tmp_path: Path
) -> None:
    with pytest.raises(error):
        mastered(asked_master(tmp_path / "made", source_of(tmp_path)), ChildLimits())
    assert not (tmp_path / "made" / "master").exists()


def test_settings_that_no_splice_allows_are_refused(film: Path, tmp_path: Path) -> None:
    with pytest.raises(MediaSettingsError, match=r"video\.bitrate"):
        made_master(tmp_path, film, video=VideoSettings(bitrate=500))


def spliced(layout: Layout, choice: list[int]) -> Splice:
    return Splice(layout.blob, layout.size, layout.starts, choice)


def shown_lumas(layout: Layout, choice: list[int]) -> list[NDArray[np.uint8]]:
    """The pictures of a copy."""
    with av.open(spliced(layout, choice)) as container:
        return [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]


def shown_lumas_of(film: Path) -> list[NDArray[np.uint8]]:
    with av.open(str(film)) as container:
        return [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]


def decoded_track(layout: Layout, number: int) -> list[av.AudioFrame]:
    """The sound of one of a copy's tracks."""
    with av.open(spliced(layout, [0] * len(layout.starts))) as container:
        return list(container.decode(audio=number))


def decoded(layout: Layout, choice: list[int]) -> tuple[list[int], int]:
    """Time stamps of a copy's pictures, and how many samples its sound has."""
    with av.open(spliced(layout, choice)) as container:
        video = [frame.pts or 0 for frame in container.decode(video=0)]
    with av.open(spliced(layout, choice)) as container:
        sound = sum(frame.samples for frame in container.decode(audio=0))
    return video, sound


def _written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def _cut_off(path: Path) -> Path:
    data = path.read_bytes()
    return _written(path, data[: len(data) // 2])
