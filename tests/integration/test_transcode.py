"""One output of one input: what players need, on media made for the purpose."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from countermark.errors import (
    DamagedMediaError,
    EncryptedMediaError,
    MediaSettingsError,
    MissingTrackError,
    NotMediaError,
    PublicError,
)
from countermark.media.child_process import run_in_child
from countermark.media.child_protocol import ChildLimits
from countermark.media.encoding_settings import AudioSettings, EncodingSettings, VideoSettings
from countermark.media.transcoding import TRANSCODE, Transcoded, TranscodeRequest
from support.media import luma_at, make_audio, make_bomb, make_encrypted, make_video
from support.transcoding import H264, audio, h264, make, samples, ssim, tracks, video


def test_a_child_process_makes_an_mp4_that_starts_fast_and_tells_its_progress(
    tmp_path: Path,
) -> None:
    source, path = make_video(tmp_path / "a.mp4"), tmp_path / "made.mp4"
    told: list[float] = []
    request = TranscodeRequest(str(source), str(path), H264)
    made = run_in_child(TRANSCODE, request, Transcoded, ChildLimits(), told.append)
    data = path.read_bytes()
    assert made.size == len(data)
    assert made.warnings == ()
    assert made.seconds == pytest.approx(2, abs=0.1)
    assert 0 < data.index(b"moov") < data.index(b"mdat")
    assert told == sorted(told)
    assert {track.codec for track in tracks(path)} == {"h264", "aac"}
    assert b" sliced_threads=0 " in data  # slices cost quality and time
    assert ssim(source, path, (320, 180)) > 0.95


def test_every_picture_comes_at_its_time(tmp_path: Path) -> None:
    times = [0, 1, 2, 7, 8, 20, 21, 22, 30, 47]
    source = make_video(tmp_path / "a.mp4", times=times, audio=False)
    path, _ = make(source)
    assert video(path).times == pytest.approx([time / 24 for time in times], abs=1e-4)


def test_a_lower_rate_leaves_pictures_out_and_evens_the_rest(tmp_path: Path) -> None:
    source = make_video(tmp_path / "a.mp4", seconds=1, rate=50, audio=False)
    path, _ = make(source, h264(framerate=25))
    assert video(path).times == pytest.approx([n / 25 for n in range(25)], abs=1e-3)
    same, _ = make(source, h264(framerate=60))
    assert len(video(same).times) == 50


@pytest.mark.parametrize(
    ("degrees", "corner"), [(90, (0.1, 0.9)), (180, (0.9, 0.9)), (270, (0.9, 0.1))]
)
def test_a_turned_picture_is_made_upright(
    tmp_path: Path, degrees: int, corner: tuple[float, float]
) -> None:
    def marked(_second: float, x: int, y: int) -> int:
        return 220 if x < 80 and y < 45 else 40

    source = make_video(
        tmp_path / "a.mp4", seconds=0.2, audio=False, luma=marked, rotation=(degrees, False, False)
    )
    path, _ = make(source)
    shown = video(path)
    size = (320, 180) if degrees == 180 else (180, 320)
    assert (shown.stream.width, shown.stream.height) == size
    assert shown.frames[0].rotation == 0
    assert luma_at(shown.frames[0], *corner) > 180
    assert luma_at(shown.frames[0], 0.5, 0.5) < 80


def test_pixels_become_square(tmp_path: Path) -> None:
    source = make_video(
        tmp_path / "a.mp4", seconds=0.2, audio=False, size=(180, 144), pixel_aspect=Fraction(16, 11)
    )
    path, _ = make(source)
    stream = video(path).stream
    assert (stream.width, stream.height) == (262, 144)
    assert stream.sample_aspect_ratio in {None, 1}


@pytest.mark.parametrize("pix_fmt", ["yuv420p10le", "yuv444p", "yuv422p", "gray"])
def test_other_pixel_formats_become_what_every_player_takes(tmp_path: Path, pix_fmt: str) -> None:
    source = make_video(
        tmp_path / "a.mkv", seconds=0.3, audio=False, size=(160, 90), codec="ffv1", pix_fmt=pix_fmt
    )
    path, _ = make(source)
    stream = video(path).stream
    assert (stream.width, stream.height, stream.pix_fmt) == (160, 90, "yuv420p")
    assert ssim(source, path, (160, 90)) > 0.9


def test_an_odd_column_and_row_are_cut_off_rather_than_all_blurred(tmp_path: Path) -> None:
    source = make_video(tmp_path / "a.mkv", seconds=0.1, audio=False, size=(161, 91), codec="ffv1")
    path, _ = make(source, h264(quality=1))
    before, after = video(source).frames[0], video(path).frames[0]
    assert (after.width, after.height) == (160, 90)
    difference = before.to_ndarray(format="gray")[:90, :160].astype(int) - after.to_ndarray(
        format="gray"
    )
    assert np.abs(difference).max() < 8


def test_surround_is_mixed_down_in_step_with_the_pictures(tmp_path: Path) -> None:
    source = tmp_path / "a.mkv"
    with av.open(str(source), "w") as container:
        sound = container.add_stream("flac", rate=48000, layout="5.1")
        wave = np.zeros((1, 6 * 48000), dtype=np.int32)
        # A click on the left and, half a second later, one in the middle.
        wave[0, 6 * 12000] = wave[0, 6 * 36000 + 2] = 2**29
        for start in range(0, 48000, 4096):
            part = np.ascontiguousarray(wave[:, 6 * start : 6 * (start + 4096)])
            frame = av.AudioFrame.from_ndarray(part, format="s32", layout="5.1")
            frame.sample_rate, frame.pts = 48000, start
            container.mux(sound.encode(frame))
        container.mux(sound.encode(None))
    path, _ = make(source)
    track = audio(path)
    heard = np.abs(samples(track))
    assert heard.shape[0] == 2
    left, right = (np.flatnonzero(channel > 0.02) for channel in heard)
    assert abs(left[0] - 12000) < 600
    assert abs(right[0] - 36000) < 600


def test_text_subtitles_are_carried_with_their_language(tmp_path: Path) -> None:
    source = make_video(tmp_path / "a.mkv", subtitles=True, language="ger")
    for settings, codec in ((h264(), "mov_text"), (h264("mkv"), "subrip")):
        path, _ = make(source, settings)
        found = next(track for track in tracks(path) if track.kind == "subtitle")
        assert found.codec == codec
        assert found.stream.language == "ger"
        assert [frame.dialogue for frame in found.frames] == [b"Hello"]
    path, _ = make(source, EncodingSettings("mp4", VideoSettings(), subtitles=False))
    assert {track.kind for track in tracks(path)} == {"video"}


def test_webm_carries_its_subtitles_as_webvtt(tmp_path: Path) -> None:
    source = make_video(tmp_path / "a.mkv", subtitles=True)
    settings = EncodingSettings(
        "webm", VideoSettings(codec="vp9", speed="fastest"), AudioSettings("opus")
    )
    path, _ = make(source, settings)
    assert {track.codec for track in tracks(path)} == {"vp9", "opus", "webvtt"}


def test_language_title_and_chapters_are_kept_but_not_the_place(tmp_path: Path) -> None:
    source = make_video(tmp_path / "a.mp4", language="ger")
    tagged = tmp_path / "tagged.mkv"
    with av.open(str(source)) as one, av.open(str(tagged), "w") as other:
        streams = {s: other.add_stream_from_template(s, opaque=True) for s in one.streams}
        other.metadata.update({"title": "A film", "location": "+48.2+16.3/"})
        names = enumerate(("One", "Two"))
        unit = Fraction(1, 1000)
        other.set_chapters(
            [
                {
                    "id": n,
                    "start": n * 1000,
                    "end": n * 1000 + 1000,
                    "time_base": unit,
                    "metadata": {"title": name},
                }
                for n, name in names
            ]
        )
        streams[one.streams[1]].metadata["language"] = "ger"
        for packet in one.demux():
            if packet.size:
                packet.stream = streams[packet.stream]
                other.mux(packet)
    path, _ = make(tagged)
    assert audio(path).stream.language == "ger"
    with av.open(str(path)) as made:
        assert made.metadata["title"] == "A film"
        assert "location" not in made.metadata
        assert [chapter["metadata"]["title"] for chapter in made.chapters()] == ["One", "Two"]


def test_an_encrypted_input_is_refused(tmp_path: Path) -> None:
    source = make_encrypted(tmp_path / "a.mp4")
    for settings in (H264, EncodingSettings("mp4", VideoSettings(codec="copy"))):
        with pytest.raises(EncryptedMediaError):
            make(source, settings)
    assert list(tmp_path.iterdir()) == [source]


def test_a_name_and_a_picture_s_claims_are_not_believed(tmp_path: Path) -> None:
    honest = make_video(tmp_path / "a.mp4", seconds=0.3)
    path, _ = make(honest.rename(tmp_path / "a.txt"))
    assert {track.kind for track in tracks(path)} == {"video", "audio"}
    bomb = make_bomb(tmp_path / "b.mov")
    with pytest.raises(DamagedMediaError):
        make(bomb)


def test_a_span_of_the_input_is_cut_to_the_picture_and_to_the_sample(tmp_path: Path) -> None:
    def clock(second: float, _x: int, _y: int) -> int:
        return 20 + int(second * 24 + 0.5) * 4

    source = make_video(tmp_path / "a.mp4", luma=clock)
    path, made = make(source, start_time=1000, duration=500)
    shown = video(path)
    assert len(shown.frames) == 12
    assert shown.times[0] == 0
    assert luma_at(shown.frames[0], 0.5, 0.5) == pytest.approx(clock(1, 0, 0), abs=2)
    assert luma_at(shown.frames[-1], 0.5, 0.5) == pytest.approx(clock(35 / 24, 0, 0), abs=2)
    assert samples(audio(path)).shape[1] == pytest.approx(24_000, abs=1024)
    assert made.seconds == pytest.approx(0.5, abs=0.05)


def test_an_input_of_sound_alone_becomes_sound_alone(tmp_path: Path) -> None:
    source = make_audio(tmp_path / "a.mp3", codec="libmp3lame")
    path, _ = make(source)
    assert [track.kind for track in tracks(path)] == ["audio"]
    assert samples(audio(path)).shape[1] == pytest.approx(2 * 48_000, abs=4800)


def test_pictures_alone_are_no_sound(tmp_path: Path) -> None:
    source = make_video(tmp_path / "a.mp4", seconds=0.3, audio=False)
    with pytest.raises(MissingTrackError):
        make(source, EncodingSettings("m4a", audio=AudioSettings()))


def test_packets_are_copied_as_they_are(tmp_path: Path) -> None:
    source = make_video(tmp_path / "a.mkv", subtitles=True)
    path, _ = make(
        source, EncodingSettings("mp4", VideoSettings(codec="copy"), AudioSettings(codec="copy"))
    )
    before, after = tracks(source), tracks(path)
    assert [t.codec for t in after] == ["h264", "aac", "mov_text"]
    for one, other in zip(before[:2], after[:2], strict=True):
        assert [f.to_ndarray().tobytes() for f in one.frames] == [
            f.to_ndarray().tobytes() for f in other.frames
        ]


@pytest.mark.parametrize(
    "settings",
    [
        EncodingSettings("webm", VideoSettings(codec="h264")),
        EncodingSettings("mp3", VideoSettings(codec="copy"), AudioSettings(codec="mp3")),
        EncodingSettings("mp4"),
        EncodingSettings("mp4", VideoSettings(codec="vp9", passes=2, bitrate=500)),
        EncodingSettings("mp4", VideoSettings(passes=2)),
        EncodingSettings("mp4", VideoSettings(profile="baroque")),
        EncodingSettings("webm", VideoSettings(codec="copy"), AudioSettings(codec="opus")),
    ],
)
def test_settings_that_cannot_be_are_refused_and_nothing_is_left(
    tmp_path: Path, settings: EncodingSettings
) -> None:
    source = make_video(tmp_path / "a.mp4", seconds=0.3)
    with pytest.raises(MediaSettingsError):
        make(source, settings)
    assert list(tmp_path.iterdir()) == [source]


@pytest.mark.parametrize(
    ("name", "kept", "error"),
    [
        ("a.mp4", 0, NotMediaError),
        ("a.mp4", 0.5, NotMediaError),
        ("a.mkv", 0.5, DamagedMediaError),
        ("faststart.mp4", 0.5, DamagedMediaError),
    ],
)
def test_what_is_cut_off_is_refused_and_nothing_is_left(
    tmp_path: Path, name: str, kept: float, error: type[PublicError]
) -> None:
    options = {"movflags": "+faststart"} if name.startswith("fast") else {}
    source = make_video(tmp_path / name, seconds=6, options=options)
    data = source.read_bytes()
    source.write_bytes(data[: int(kept * len(data))])
    with pytest.raises(error) as caught:
        make(source)
    assert caught.value.detail
    assert list(tmp_path.iterdir()) == [source]


def test_bytes_that_are_no_media_are_refused(tmp_path: Path) -> None:
    source = tmp_path / "a.mp4"
    for data in (b"", b"text\n" * 1000, bytes(range(256)) * 400, b"PK\x03\x04" + bytes(1000)):
        source.write_bytes(data)
        with pytest.raises(NotMediaError):
            make(source)
    assert list(tmp_path.iterdir()) == [source]
