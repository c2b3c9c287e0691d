import pytest

from countermark.media import mime_types
from countermark.media.labels import codec_label, container_label


@pytest.mark.parametrize(
    ("codec", "label"),
    [
        ("h264", "H.264 / AVC"),
        ("aac", "MPEG-4 AAC"),
        ("vp9", "VP9"),
        ("mp3", "MPEG-1 Layer 3 (MP3)"),
        ("pcm_s16le", "Raw 16-bit PCM audio"),
        ("pcm_f32le", "Raw 32-bit floating-point audio"),
        ("pcm_alaw", "A-Law"),
        ("adpcm_ms", "ADPCM"),
    ],
)
def test_codecs_carry_the_labels_of_gstreamer(codec: str, label: str) -> None:
    assert codec_label(codec, "long name") == label


def test_a_codec_unknown_to_gstreamer_keeps_the_long_name_of_ffmpeg() -> None:
    assert codec_label("roqvideo", "id RoQ video") == "id RoQ video"


@pytest.mark.parametrize(
    ("demuxer", "brand", "webm", "label"),
    [
        ("mov,mp4,m4a,3gp,3g2,mj2", "isom", False, "ISO MP4/M4A"),
        ("mov,mp4,m4a,3gp,3g2,mj2", "mp42", False, "ISO MP4/M4A"),
        ("mov,mp4,m4a,3gp,3g2,mj2", "qt", False, "Quicktime"),
        ("mov,mp4,m4a,3gp,3g2,mj2", "3gp5", False, "3GP"),
        ("matroska,webm", "", False, "Matroska"),
        ("matroska,webm", "", True, "WebM"),
        ("mpegts", "", False, "MPEG-2 Transport Stream"),
        ("mp3", "", False, None),
    ],
)
def test_containers_carry_the_labels_of_gstreamer(
    demuxer: str, brand: str, *, webm: bool, label: str | None
) -> None:
    assert container_label(demuxer, brand, webm=webm) == label


@pytest.mark.parametrize(
    ("name", "mime_type"),
    [
        ("a.MP4", "video/mp4"),
        ("a.tar.gz", "application/gzip"),
        ("folder.mp4/readme", "application/octet-stream"),
        ("", "application/octet-stream"),
        (".mp4", "application/octet-stream"),
        ("C:\\films\\a.mkv", "video/matroska"),
        ("a.zip\n", "application/octet-stream"),
    ],
)
def test_the_last_suffix_of_a_name_decides_its_type(name: str, mime_type: str) -> None:
    assert mime_types.from_name(name) == mime_type


def test_no_demuxer_that_follows_addresses_is_allowed() -> None:
    followers = {"hls", "dash", "concat", "image2", "image2pipe", "sdp", "rtsp", "vobsub", "lavfi"}
    assert not followers & set(mime_types.DEMUXERS)


def test_every_allowed_demuxer_of_timed_media_has_a_type() -> None:
    for demuxer in mime_types.DEMUXERS:
        known = mime_types.of_picture(demuxer, "") or mime_types.of_subtitles(demuxer)
        assert known or mime_types.of_media(demuxer, "isom", webm=False, pictures=True)
