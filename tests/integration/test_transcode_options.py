"""What an output can be asked for: loudness, passes, logos, fields, colours, channels."""

import struct
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from countermark.errors import DamagedMediaError, MediaSettingsError
from countermark.media.audio_filters import FilteredSound, Mix
from countermark.media.encoding_settings import (
    AudioSettings,
    Crop,
    EncodingSettings,
    Logo,
    VideoSettings,
)
from countermark.media.lanes import Span
from countermark.media.transcoding import LogoFile
from support.media import (
    damaged_video,
    encode_picture,
    luma_at,
    make_audio,
    make_image,
    make_video,
    picture,
)
from support.odd_video import hdr, interlaced
from support.transcoding import audio, h264, make, samples, video


def noise(second: float, x: int, y: int) -> int:
    """A luma that no encoder can foresee."""
    return 16 + (x * 7919 + y * 104_729 + int(second * 24) * 31_337) % 977 % 220


def loudness(path: Path) -> float:
    """Integrated loudness, LUFS, as FFmpeg's ebur128 finds it."""
    measured = FilteredSound(
        Mix("fltp", 48000, "stereo", Span(Fraction(0), None), is_measured=True)
    )
    for frame in audio(path).frames:
        list(measured.take(frame))
    list(measured.rest())
    assert measured.loudness is not None
    return measured.loudness


@pytest.mark.parametrize("wanted", [-23.0, -9.0])
def test_sound_is_brought_to_a_loudness(tmp_path: Path, wanted: float) -> None:
    source = make_audio(tmp_path / "a.flac", codec="flac", seconds=3)
    settings = EncodingSettings("m4a", audio=AudioSettings(loudness=wanted))
    path, _ = make(source, settings)
    assert abs(loudness(source) - wanted) > 2
    assert loudness(path) == pytest.approx(wanted, abs=0.5)
    assert np.abs(samples(audio(path))).max() < 1


def test_silence_is_not_made_loud(tmp_path: Path) -> None:
    source = tmp_path / "a.wav"
    with av.open(str(source), "w") as container:
        sound = container.add_stream("pcm_s16le", rate=48000, layout="stereo")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 2 * 48000), np.int16), "s16", "stereo")
        frame.sample_rate = 48000
        container.mux(sound.encode(frame))
    path, _ = make(source, EncodingSettings("m4a", audio=AudioSettings(loudness=-16)))
    assert np.abs(samples(audio(path))).max() < 1e-4


@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_two_passes_meet_a_bitrate_and_leave_nothing_behind(tmp_path: Path, codec: str) -> None:
    source = make_video(tmp_path / "a.mp4", seconds=3, audio=False, luma=noise)
    path, _ = make(source, h264(codec=codec, passes=2, bitrate=300))
    assert path.stat().st_size * 8 / 3 / 1000 == pytest.approx(300, rel=0.35)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a-made.mp4", "a.mp4"]


def test_a_logo_lies_in_its_corner(tmp_path: Path) -> None:
    source = make_video(tmp_path / "a.mp4", seconds=0.2, audio=False, luma=lambda _s, _x, _y: 40)
    mark = tmp_path / "logo.png"
    mark.write_bytes(
        encode_picture(picture(40, 20, lambda _x, _y: 235).reformat(format="rgb24"), "png")
    )
    logo = Logo(corner="bottom-left", x=10, y="10%", width="25%")
    path, _ = make(source, h264(quality=10), logos=(LogoFile(logo, str(mark)),))
    shown = video(path).frames[0]
    # 80 x 40 pixels, 10 from the left and 18 from the bottom of 320 x 180.
    assert luma_at(shown, 50 / 320, 142 / 180) > 200
    assert luma_at(shown, 5 / 320, 142 / 180) < 60
    assert luma_at(shown, 50 / 320, 170 / 180) < 60
    assert luma_at(shown, 0.5, 0.2) < 60
    assert all(luma_at(frame, 50 / 320, 142 / 180) > 200 for frame in video(path).frames)


def test_a_logo_that_is_no_picture_is_refused(tmp_path: Path) -> None:
    source = make_video(tmp_path / "a.mp4", seconds=0.2, audio=False)
    text = tmp_path / "logo.png"
    text.write_text("no picture")
    with pytest.raises(MediaSettingsError):
        make(source, h264(), logos=(LogoFile(Logo(), str(text)),))


def test_fields_are_woven_into_whole_pictures(tmp_path: Path) -> None:
    """Odd and even rows from different times leave combs, which must be gone."""
    source = interlaced(tmp_path / "a.mkv")
    combs = {}
    for wish in ("auto", "always", "never"):
        path, _ = make(source, h264(deinterlace=wish, quality=10))
        shown = video(path).frames[4].to_ndarray(format="gray").astype(int)
        combs[wish] = np.abs(shown[1:-1] * 2 - shown[:-2] - shown[2:]).mean()
    assert combs["always"] < combs["never"] / 3
    assert combs["auto"] == pytest.approx(combs["always"], rel=0.1)


def test_cropping_padding_and_cutting_shape_the_picture(tmp_path: Path) -> None:
    source = make_video(
        tmp_path / "a.mp4",
        seconds=0.2,
        audio=False,
        luma=lambda _s, x, _y: 220 if x < 160 else 60,
    )
    path, _ = make(source, h264(crop=Crop(left=160)))
    shown = video(path).frames[0]
    assert (shown.width, shown.height) == (160, 180)
    assert luma_at(shown, 0.1, 0.5) < 100
    path, _ = make(source, h264(width=320, height=320, fit="pad", upscale=True))
    shown = video(path).frames[0]
    assert (shown.width, shown.height) == (320, 320)
    assert luma_at(shown, 0.2, 0.05) < 20
    assert luma_at(shown, 0.2, 0.5) > 180
    path, _ = make(source, h264(width=90, height=180, fit="cut"))
    shown = video(path).frames[0]
    assert (shown.width, shown.height) == (90, 180)
    assert (luma_at(shown, 0.1, 0.5) > 180, luma_at(shown, 0.9, 0.5) < 100) == (True, True)


def coloured(path: Path, *, matrix: int, range_: int, size: tuple[int, int], luma: int) -> Path:
    """A video of one grey, with what it says of its colours."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "1"})
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        context = stream.codec_context
        context.colorspace, context.color_range = matrix, range_
        context.color_primaries = context.color_trc = matrix
        frame = av.VideoFrame(*size, "yuv420p")
        for plane, value in zip(frame.planes, (luma, 90, 180), strict=True):
            plane.update(bytes([value]) * plane.buffer_size)
        for number in range(3):
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("matrix", [1, 5, 6])
def test_what_colours_mean_is_carried_and_their_numbers_stay(tmp_path: Path, matrix: int) -> None:
    source = coloured(tmp_path / "a.mp4", matrix=matrix, range_=1, size=(128, 96), luma=120)
    path, _ = make(source, h264(quality=1, width=64))
    shown = video(path)
    context = shown.stream.codec_context
    assert (context.colorspace, context.color_primaries, context.color_trc) == (matrix,) * 3
    assert context.color_range == 1
    assert [bytes(p)[0] for p in shown.frames[0].planes] == pytest.approx([120, 90, 180], abs=2)


def test_a_full_range_becomes_the_one_that_players_expect(tmp_path: Path) -> None:
    source = coloured(tmp_path / "a.mp4", matrix=1, range_=2, size=(128, 96), luma=255)
    path, _ = make(source, h264(quality=1))
    assert video(path).stream.codec_context.color_range == 1
    assert bytes(video(path).frames[0].planes[0])[0] == pytest.approx(235, abs=1)


def test_colours_that_are_not_named_are_named_by_the_input_s_size(tmp_path: Path) -> None:
    source = coloured(tmp_path / "a.mp4", matrix=2, range_=0, size=(1280, 720), luma=120)
    path, _ = make(source, h264(width=320))
    assert video(path).stream.codec_context.colorspace == 1


def test_high_dynamic_range_is_mapped_for_ordinary_screens(tmp_path: Path) -> None:
    path, _ = make(hdr(tmp_path / "a.mkv"), h264())
    shown = video(path)
    context = shown.stream.codec_context
    tags = (context.colorspace, context.color_primaries, context.color_trc)
    assert (tags, context.pix_fmt) == ((1, 1, 1), "yuv420p")
    luma, *chroma = (bytes(plane)[0] for plane in shown.frames[0].planes)
    # 100 cd/m² is well within what such a screen shows: neither white nor dark, and still grey.
    assert 90 < luma < 200
    assert chroma == pytest.approx([128, 128], abs=2)


@pytest.mark.parametrize("codec", ["hevc", "av1"])
def test_high_dynamic_range_is_carried_whole_where_it_is_wished(tmp_path: Path, codec: str) -> None:
    path, _ = make(hdr(tmp_path / "a.mkv"), h264(codec=codec, hdr="keep"))
    shown = video(path)
    context = shown.stream.codec_context
    tags = (context.colorspace, context.color_primaries, context.color_trc)
    assert (tags, context.pix_fmt) == ((9, 9, 16), "yuv420p10le")
    value = struct.unpack("<H", bytes(shown.frames[0].planes[0])[:2])[0]
    assert value == pytest.approx(509, abs=4)
    light = shown.frames[0].side_data.get("CONTENT_LIGHT_LEVEL")
    assert light is not None
    assert struct.unpack("=2I", bytes(light)) == (1000, 400)


def test_surround_stays_surround_where_it_is_wished(tmp_path: Path) -> None:
    source = tmp_path / "a.mkv"
    with av.open(str(source), "w") as container:
        sound = container.add_stream("flac", rate=48000, layout="5.1")
        wave = (np.random.default_rng(1).standard_normal((1, 6 * 9600)) * 1e7).astype(np.int32)
        frame = av.AudioFrame.from_ndarray(wave, format="s32", layout="5.1")
        frame.sample_rate, frame.pts = 48000, 0
        container.mux(sound.encode(frame))
        container.mux(sound.encode(None))
    for container_, codec in (("m4a", "aac"), ("ogg", "opus"), ("flac", "flac")):
        settings = EncodingSettings(container_, audio=AudioSettings(codec, channels=6))
        path, _ = make(source, settings)
        assert audio(path).stream.layout.nb_channels == 6
    path, _ = make(source, EncodingSettings("mp3", audio=AudioSettings("mp3", channels=6)))
    assert audio(path).stream.layout.nb_channels == 2


def test_a_gap_in_the_sound_stays_a_gap(tmp_path: Path) -> None:
    source = tmp_path / "a.mkv"
    with av.open(str(source), "w") as container:
        sound = container.add_stream("pcm_s16le", rate=48000, layout="mono")
        for start in (0, 48000 * 2):
            loud = np.full((1, 48000), 9000, np.int16)
            frame = av.AudioFrame.from_ndarray(loud, "s16", "mono")
            frame.sample_rate, frame.pts = 48000, start
            container.mux(sound.encode(frame))
    path, _ = make(source, EncodingSettings("flac", audio=AudioSettings("flac")))
    heard = np.abs(samples(audio(path))[0].astype(float))
    heard /= heard.max()
    assert len(heard) == pytest.approx(3 * 48000, abs=100)
    assert heard[: 48000 - 200].min() > 0.9
    assert heard[48000 + 200 : 96000 - 200].max() < 0.01
    assert heard[96000 + 200 :].min() > 0.9


def test_sound_that_begins_late_stays_beside_its_pictures(tmp_path: Path) -> None:
    source = tmp_path / "a.mkv"
    with av.open(str(source), "w") as container:
        stream = container.add_stream("libx264", rate=24)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        sound = container.add_stream("pcm_s16le", rate=48000, layout="mono")
        for number in range(48):
            frame = picture(64, 64, lambda _x, _y, n=number: 220 if n >= 24 else 30)
            frame = frame.reformat(format="yuv420p")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        wave = av.AudioFrame.from_ndarray(np.full((1, 48000), 9000, np.int16), "s16", "mono")
        wave.sample_rate, wave.pts = 48000, 48000
        container.mux(sound.encode(wave))
    path, _ = make(source)
    shown, heard = video(path), np.abs(samples(audio(path))[0])
    flash = next(
        time
        for time, f in zip(shown.times, shown.frames, strict=True)
        if luma_at(f, 0.5, 0.5) > 128
    )
    onset = audio(path).times[0] + int(np.flatnonzero(heard > 0.05)[0]) / 48000
    assert flash == pytest.approx(1, abs=0.001)
    assert onset == pytest.approx(1, abs=0.03)


def test_recordings_that_were_joined_play_one_after_the_other(tmp_path: Path) -> None:
    parts = [
        make_video(tmp_path / f"{name}.ts", seconds=2, options={"output_ts_offset": offset})
        for name, offset in (("one", "0"), ("other", "5000"), ("third", "20"))
    ]
    source = tmp_path / "joined.ts"
    source.write_bytes(b"".join(part.read_bytes() for part in parts))
    path, made = make(source)
    times = video(path).times
    assert len(times) == pytest.approx(144, abs=3)
    assert times[-1] == pytest.approx(6, abs=0.3)
    assert max(b - a for a, b in pairwise(times)) < 0.3
    assert samples(audio(path)).shape[1] == pytest.approx(6 * 48000, abs=15_000)
    assert made.seconds == pytest.approx(6, abs=0.3)


def test_a_damaged_place_is_left_out_with_a_warning(tmp_path: Path) -> None:
    source = damaged_video(tmp_path / "a.mov", lambda number: number in {40, 41})
    path, made = make(source)
    assert len(video(path).frames) == 94
    assert made.warnings == ("2 damaged pictures were left out.",)


def test_an_input_that_is_mostly_damage_is_refused(tmp_path: Path) -> None:
    source = damaged_video(tmp_path / "a.mov", lambda number: number > 30)
    with pytest.raises(DamagedMediaError):
        make(source)


def test_a_picture_file_becomes_one_picture(tmp_path: Path) -> None:
    source = make_image(tmp_path / "a.png", codec="png")
    path, _ = make(source)
    assert len(video(path).frames) == 1


def test_a_bitrate_may_be_a_share_of_the_input_s(tmp_path: Path) -> None:
    source = make_video(tmp_path / "a.mp4", seconds=3, audio=False, luma=noise)
    path, _ = make(source, EncodingSettings("mp4", VideoSettings(bitrate="25%", speed="fast")))
    assert 0.15 < path.stat().st_size / source.stat().st_size < 0.4
