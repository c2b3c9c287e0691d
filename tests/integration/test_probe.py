"""What probing says of media whose making is known, and of Debian's ffprobe's opinion of them."""

import json
import shutil
import struct
import subprocess
from fractions import Fraction
from pathlib import Path

import pytest

from countermark.media.description import Description
from countermark.media.probe import describe
from support.media import (
    SHARED,
    black_until,
    decode_jpeg,
    encode_picture,
    luma_at,
    make_audio,
    make_image,
    make_video,
    make_zip,
    picture,
)

CLIPS = ("big-buck-bunny-480p-30s.mp4", "car-detection-432p-30s.mp4")


def probe(path: Path, name: str | None = None) -> Description:
    return describe(path, name or path.name)


def test_an_mp4_is_described_track_by_track(tmp_path: Path) -> None:
    found = probe(make_video(tmp_path / "a.mp4"))
    assert (found.container, found.mime_type, found.subtype) == (
        "ISO MP4/M4A",
        "video/mp4",
        "video",
    )
    assert found.duration == pytest.approx(2000, abs=30)
    assert found.video_tracks
    assert found.audio_tracks
    video, audio = found.video_tracks[0], found.audio_tracks[0]
    assert (video.video_codec, video.width, video.height) == ("H.264 / AVC", 320, 180)
    assert (video.framerate, video.aspect_ratio, video.orientation) == (24, "1:1", None)
    assert video.video_duration == 2000
    assert (audio.audio_codec, audio.samplingrate, audio.nb_channels) == ("MPEG-4 AAC", 48000, 2)
    assert audio.audio_width == 16
    assert found.subtitle_tracks is None


def test_matroska_has_bitrates_and_durations_though_its_header_lacks_them(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mkv", subtitles=True, language="ger")
    found = probe(path)
    assert (found.container, found.mime_type) == ("Matroska", "video/matroska")
    assert found.video_tracks
    assert found.audio_tracks
    assert found.subtitle_tracks
    assert found.video_tracks[0].video_duration == pytest.approx(2000, abs=50)
    total = path.stat().st_size * 8 / 2000
    sum_of_tracks = (found.video_tracks[0].video_bitrate or 0) + (
        found.audio_tracks[0].audio_bitrate or 0
    )
    assert 0.85 * total < sum_of_tracks <= total
    assert found.subtitle_tracks[0].language == "ger"


def test_webm_is_told_from_matroska(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.webm", codec="libvpx-vp9", audio_codec="libopus", seconds=0.5)
    found = probe(path, "lying.mp4")
    assert (found.container, found.mime_type) == ("WebM", "video/webm")
    assert found.video_tracks
    assert found.video_tracks[0].video_codec == "VP9"
    assert found.audio_tracks
    assert found.audio_tracks[0].audio_codec == "Opus"


def test_the_frame_rate_of_film_on_ntsc_is_23_98(tmp_path: Path) -> None:
    found = probe(make_video(tmp_path / "a.mov", rate=Fraction(24000, 1001), audio=False))
    assert (found.container, found.mime_type) == ("Quicktime", "video/quicktime")
    assert found.video_tracks
    assert found.video_tracks[0].framerate == 23.98


def test_a_variable_frame_rate_is_averaged(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", times=[0, 1, 2, 10, 11, 30, 31, 47], audio=False)
    found = probe(path)
    assert found.video_tracks
    assert found.video_tracks[0].framerate == 4


@pytest.mark.parametrize(
    ("rotation", "orientation", "bright"),
    [
        ((-90, False, False), "rotate-90", (0.9, 0.1)),
        ((180, False, False), "rotate-180", (0.9, 0.9)),
        ((90, False, False), "rotate-270", (0.1, 0.9)),
        ((0, True, False), "flip-rotate-0", (0.9, 0.1)),
        ((0, False, True), "flip-rotate-180", (0.1, 0.9)),
    ],
)
def test_orientation_is_told_and_the_thumbnail_is_upright(
    tmp_path: Path,
    rotation: tuple[int, bool, bool],
    orientation: str,
    bright: tuple[float, float],
) -> None:
    path = make_video(
        tmp_path / "a.mp4",
        seconds=0.3,
        audio=False,
        rotation=rotation,
        luma=lambda _, x, y: 230 if x < 80 and y < 60 else 40,
    )
    found = probe(path)
    assert found.video_tracks
    assert found.thumbnail
    assert found.video_tracks[0].orientation == orientation
    assert found.video_tracks[0].width == 320
    shown = decode_jpeg(found.thumbnail.data)
    assert (shown.width, shown.height) == (found.thumbnail.width, found.thumbnail.height)
    assert (shown.width > shown.height) == (rotation[0] in (0, 180))
    assert luma_at(shown, *bright) > 200
    assert luma_at(shown, 1 - bright[0], 1 - bright[1]) < 90


def test_pixels_that_are_not_square_are_squared_in_the_thumbnail(tmp_path: Path) -> None:
    found = probe(
        make_video(tmp_path / "a.mp4", seconds=0.3, audio=False, pixel_aspect=Fraction(4, 3))
    )
    assert found.video_tracks
    assert found.thumbnail
    assert found.video_tracks[0].aspect_ratio == "4:3"
    assert (found.thumbnail.width, found.thumbnail.height) == (320, 135)


@pytest.mark.parametrize("gop", [12, 1000])
def test_a_black_beginning_does_not_reach_the_thumbnail(tmp_path: Path, gop: int) -> None:
    path = make_video(tmp_path / "a.mp4", seconds=4, luma=black_until(3.2), gop=gop, audio=False)
    thumbnail = probe(path).thumbnail
    assert thumbnail
    shown = decode_jpeg(thumbnail.data)
    assert max(luma_at(shown, x / 37, 0.5) for x in range(37)) > 100


def test_a_video_that_is_black_throughout_has_a_black_thumbnail(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", seconds=0.5, luma=lambda *_: 16, audio=False)
    assert probe(path).thumbnail is not None


@pytest.mark.parametrize(
    ("suffix", "codec", "pix_fmt", "size"),
    [
        ("mp4", "libx265", "yuv420p10le", (320, 180)),
        ("mov", "prores_ks", "yuva444p10le", (322, 182)),
        ("mkv", "ffv1", "yuv444p", (321, 181)),
        ("h264", "libx264", "yuv420p", (320, 180)),
        ("ts", "libx264", "yuv420p", (320, 180)),
    ],
)
def test_deep_colour_alpha_odd_sizes_and_raw_streams_have_thumbnails(
    tmp_path: Path, suffix: str, codec: str, pix_fmt: str, size: tuple[int, int]
) -> None:
    path = make_video(
        tmp_path / f"a.{suffix}", codec=codec, pix_fmt=pix_fmt, size=size, seconds=0.5, audio=False
    )
    found = probe(path)
    assert found.thumbnail
    assert found.thumbnail.width in (319, 320)
    assert found.duration
    assert found.duration == pytest.approx(500, abs=45)
    assert len(found.thumbnail.data) <= 32 * 1024


def test_album_art_is_a_thumbnail_and_not_a_video_track(tmp_path: Path) -> None:
    art = encode_picture(
        picture(64, 64, lambda x, _: 200 if x < 32 else 60).reformat(format="yuvj420p"), "mjpeg"
    )
    found = probe(make_audio(tmp_path / "a.mp3", codec="libmp3lame", cover=art))
    assert (found.mime_type, found.subtype, found.video_tracks) == ("audio/mpeg", "audio", None)
    assert found.thumbnail
    assert (found.thumbnail.width, found.thumbnail.height) == (64, 64)


@pytest.mark.parametrize(
    ("suffix", "codec", "mime_type", "bits"),
    [
        ("wav", "pcm_s16le", "audio/vnd.wave", 16),
        ("wav", "pcm_s24le", "audio/vnd.wave", 24),
        ("flac", "flac", "audio/flac", 16),
        ("ogg", "libopus", "audio/ogg", 16),
        ("m4a", "aac", "audio/mp4", 16),
        ("aac", "aac", "audio/aac", 16),
        ("mka", "libopus", "audio/matroska", 16),
    ],
)
def test_sound_alone_is_audio(
    tmp_path: Path, suffix: str, codec: str, mime_type: str, bits: int
) -> None:
    found = probe(make_audio(tmp_path / f"a.{suffix}", codec=codec), "unnamed")
    assert (found.mime_type, found.subtype) == (mime_type, "audio")
    assert found.duration == pytest.approx(2000, abs=60)
    assert found.audio_tracks
    track = found.audio_tracks[0]
    assert (track.audio_width, track.samplingrate, track.nb_channels) == (bits, 48000, 2)
    assert track.audio_bitrate
    assert track.audio_duration


@pytest.mark.parametrize(
    ("codec", "pix_fmt", "mime_type"),
    [
        ("png", "rgb24", "image/png"),
        ("png", "rgba", "image/png"),
        ("mjpeg", "yuvj420p", "image/jpeg"),
        ("libwebp", "yuv420p", "image/webp"),
        ("bmp", "bgr24", "image/bmp"),
        ("tiff", "rgb24", "image/tiff"),
    ],
)
def test_a_picture_is_an_image_with_a_thumbnail_and_no_tracks(
    tmp_path: Path, codec: str, pix_fmt: str, mime_type: str
) -> None:
    found = probe(make_image(tmp_path / "a", codec=codec, pix_fmt=pix_fmt))
    assert (found.mime_type, found.subtype, found.duration) == (mime_type, "image", None)
    assert found.video_tracks is None
    assert found.thumbnail
    assert (found.thumbnail.width, found.thumbnail.height) == (320, 180)


def test_what_is_transparent_shows_white(tmp_path: Path) -> None:
    clear = picture(64, 64, lambda *_: 0).reformat(format="rgba")
    clear.planes[0].update(bytes(clear.planes[0].buffer_size))
    path = tmp_path / "a.png"
    path.write_bytes(encode_picture(clear, "png"))
    thumbnail = probe(path).thumbnail
    assert thumbnail
    assert luma_at(decode_jpeg(thumbnail.data), 0.5, 0.5) > 250


def test_a_photo_is_turned_as_its_exif_says(tmp_path: Path) -> None:
    path = make_image(tmp_path / "a.jpg", codec="mjpeg", pix_fmt="yuvj420p")
    jpeg = path.read_bytes()
    ifd = struct.pack("<HHHIHHI", 1, 0x112, 3, 1, 6, 0, 0)
    exif = b"Exif\0\0II*\0" + struct.pack("<I", 8) + ifd
    path.write_bytes(jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + jpeg[2:])
    thumbnail = probe(path).thumbnail
    assert thumbnail
    assert (thumbnail.width, thumbnail.height) == (180, 320)


@pytest.mark.parametrize(
    ("text", "mime_type"),
    [
        ("1\n00:00:01,000 --> 00:00:02,500\nHi\n\n", "application/x-subrip"),
        ("WEBVTT\n\n00:00:01.000 --> 00:00:02.500\nHi\n", "text/vtt"),
        ("[Script Info]\nScriptType: v4.00+\n\n[Events]\n", "text/x-ssa"),
    ],
)
def test_subtitle_files_are_known_by_their_text(tmp_path: Path, text: str, mime_type: str) -> None:
    path = tmp_path / "titles"
    path.write_text(text)
    found = probe(path)
    assert (found.mime_type, found.subtype) == (mime_type, "subtitle")
    assert found.subtitle_tracks
    assert len(found.subtitle_tracks) == 1


def test_a_zip_is_a_zip_whatever_its_name(tmp_path: Path) -> None:
    found = probe(make_zip(tmp_path / "a.mp4"))
    assert (found.mime_type, found.subtype, found.container) == ("application/zip", "zip", None)


def test_a_document_that_is_a_zip_inside_keeps_its_type(tmp_path: Path) -> None:
    found = probe(make_zip(tmp_path / "a.epub"))
    assert (found.mime_type, found.subtype) == ("application/epub+zip", "other")


def test_a_lying_name_is_corrected_by_the_content(tmp_path: Path) -> None:
    found = probe(make_video(tmp_path / "a.mp4", seconds=0.2), "report.pdf")
    assert (found.mime_type, found.subtype) == ("video/mp4", "video")


@pytest.mark.parametrize("content", [b"", b"hello\n" * 100, bytes(range(256)) * 64])
def test_anything_else_is_plain_and_typed_by_its_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a"
    path.write_bytes(content)
    assert probe(path, "notes.txt") == Description(None, "text/plain", "other")
    assert probe(path, "notes") == Description(None, "application/octet-stream", "other")


@pytest.mark.skipif(shutil.which("ffprobe") is None, reason="ffprobe is not installed")
@pytest.mark.parametrize("clip", CLIPS)
def test_real_clips_read_as_ffprobe_reads_them(clip: str) -> None:
    path = SHARED / clip
    if not path.exists():
        pytest.skip("the shared clips are not beside this checkout")
    found = probe(path)
    command = ["ffprobe", "-v", "error", "-show_format", "-show_streams", "-of", "json", str(path)]
    theirs = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    video = next(s for s in theirs["streams"] if s["codec_type"] == "video")
    audio = next(s for s in theirs["streams"] if s["codec_type"] == "audio")
    assert found.video_tracks
    assert found.audio_tracks
    assert found.thumbnail
    ours, sound = found.video_tracks[0], found.audio_tracks[0]
    assert found.duration == pytest.approx(float(theirs["format"]["duration"]) * 1000, abs=60)
    assert (ours.width, ours.height) == (video["width"], video["height"])
    assert ours.framerate == pytest.approx(float(Fraction(video["avg_frame_rate"])), abs=0.005)
    assert ours.video_bitrate == pytest.approx(int(video["bit_rate"]) / 1000, abs=1)
    assert ours.video_duration == pytest.approx(float(video["duration"]) * 1000, abs=1)
    assert sound.audio_bitrate == pytest.approx(int(audio["bit_rate"]) / 1000, abs=1)
    assert sound.samplingrate == int(audio["sample_rate"])
    assert sound.nb_channels == audio["channels"]
