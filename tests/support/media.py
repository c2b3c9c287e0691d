"""Media for tests, made with PyAV: small, quick, and different where a test needs it."""

import io
import math
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
from av.container import OutputContainer
from av.frame import Frame
from av.stream import Disposition, Stream
from av.video.stream import VideoStream

SHARED = Path(__file__).parents[3] / "shared" / "media"

Luma = Callable[[float, int, int], int]


def moving_picture(second: float, x: int, y: int) -> int:
    """Luma of a texture that moves: stripes and a gradient."""
    return int(40 + 90 * ((x + int(second * 40)) // 16 % 2) + 80 * y / 400) & 0xFF


def black_until(start: float) -> Luma:
    """Luma that is black before a time, and a moving picture from then on."""
    return lambda second, x, y: 16 if second < start else moving_picture(second, x, y)


def make_video(  # noqa: PLR0913 - each test names the one property that it is about
    path: Path,
    *,
    seconds: float = 2.0,
    size: tuple[int, int] = (320, 180),
    rate: Fraction | int = 24,
    audio: bool = True,
    codec: str = "libx264",
    audio_codec: str = "aac",
    pix_fmt: str = "yuv420p",
    luma: Luma = moving_picture,
    gop: int = 24,
    pixel_aspect: Fraction | None = None,
    rotation: tuple[int, bool, bool] | None = None,
    times: list[int] | None = None,
    options: dict[str, str] | None = None,
    subtitles: bool = False,
    language: str | None = None,
) -> Path:
    """Make a video; the container is that of the path's suffix.

    Args:
        path: Where to write.
        seconds: Length.
        size: Width and height, pixels.
        rate: Frames per second.
        audio: Whether there is a sine tone with it.
        codec: FFmpeg's name of the video encoder.
        audio_codec: FFmpeg's name of the audio encoder.
        pix_fmt: Pixel format given to the encoder.
        luma: Value for a time and a place on a coarse grid of 8 x 8 pixels.
        gop: Frames between keyframes.
        pixel_aspect: Width of a pixel over its height.
        rotation: Degrees counterclockwise, flip left to right, flip top to bottom.
        times: Presentation times of the frames in units of 1/rate, for variable frame rates.
        options: The container's.
        subtitles: Whether there is a track of two cues.
        language: ISO 639-2 code for the tracks.
    """
    rate = Fraction(rate)
    with av.open(str(path), "w", options=options or {}) as container:
        video = container.add_stream(codec, rate=rate)
        video.width, video.height, video.pix_fmt = *size, pix_fmt
        video.gop_size = gop
        if codec == "libx264":
            video.options = {"preset": "ultrafast", "crf": "28", "sc_threshold": "0"}
        if pixel_aspect:
            video.codec_context.sample_aspect_ratio = pixel_aspect
        if rotation:
            video.set_display_rotation(*rotation)
        sound = container.add_stream(audio_codec, rate=48000, layout="stereo") if audio else None
        format_ = "mov_text" if path.suffix == ".mp4" else "subrip"
        titles = container.add_mux_stream(format_) if subtitles else None
        for stream in container.streams:
            stream.metadata.update({"language": language} if language else {})
        times = times or list(range(math.ceil(seconds * rate)))
        _encode(container, video, _frames(video, times, rate, luma))
        if sound is not None:
            _encode(container, sound, _tone(seconds, sound.codec_context.frame_size or 1024))
        if titles is not None:
            container.mux(_cue(titles, counted=path.suffix == ".mp4"))
    return path


def make_encrypted(path: Path) -> Path:
    """Make an MP4 under Common Encryption (ISO/IEC 23001-7)."""
    key = {
        "encryption_scheme": "cenc-aes-ctr",
        "encryption_key": "0123456789abcdef" * 2,
        "encryption_kid": "fedcba9876543210" * 2,
    }
    return make_video(path, seconds=0.5, options=key)


def make_bomb(path: Path) -> Path:
    """Make a small video of PNG pictures that claim 65,535 x 65,535 pixels each."""
    make_video(path, seconds=0.2, size=(64, 36), audio=False, codec="png", pix_fmt="rgb24")
    data = bytearray(path.read_bytes())
    at = data.find(b"IHDR")
    while at >= 0:
        data[at + 4 : at + 12] = struct.pack(">II", 65_535, 65_535)
        data[at + 17 : at + 21] = struct.pack(">I", zlib.crc32(data[at : at + 17]))
        at = data.find(b"IHDR", at + 1)
    path.write_bytes(data)
    return path


def make_repeated(path: Path, source: Path, times: int) -> Path:
    """Make a long video cheaply: another one's first track so many times, nothing encoded."""
    with av.open(str(path), "w") as container:
        video = None
        for number in range(times):
            with av.open(str(source)) as piece:
                stream = piece.streams.video[0]
                video = video or container.add_stream_from_template(stream)
                for packet in piece.demux(stream):
                    if packet.dts is None:
                        continue
                    packet.pts += number * stream.duration
                    packet.dts += number * stream.duration
                    packet.stream = video
                    container.mux(packet)
    return path


def make_audio(path: Path, *, codec: str, seconds: float = 2.0, cover: bytes | None = None) -> Path:
    """Make a stereo tone at 48 kHz, in an MP3 file with a JPEG as its cover if given."""
    with av.open(str(path), "w") as container:
        sound = container.add_stream(codec, rate=48000, layout="stereo")
        picture_stream = None
        if cover is not None:
            picture_stream = container.add_mux_stream("mjpeg", width=64, height=64)
            picture_stream.disposition = Disposition.attached_pic
        container.start_encoding()
        if picture_stream is not None:
            packet = av.Packet(cover)
            packet.stream, packet.pts, packet.dts = picture_stream, 0, 0
            packet.time_base = Fraction(1, 1000)
            container.mux(packet)
        _encode(container, sound, _tone(seconds, sound.codec_context.frame_size or 1024))
    return path


def make_image(
    path: Path, *, codec: str, size: tuple[int, int] = (640, 360), pix_fmt: str = "rgb24"
) -> Path:
    """Make a picture of stripes with an encoder of one-picture files, such as png."""
    frame = picture(*size, lambda x, y: moving_picture(0.0, x, y)).reformat(format=pix_fmt)
    path.write_bytes(encode_picture(frame, codec))
    return path


def encode_picture(frame: av.VideoFrame, codec: str) -> bytes:
    """Encode one frame on its own."""
    encoder = av.CodecContext.create(codec, "w")
    encoder.width, encoder.height, encoder.pix_fmt = frame.width, frame.height, frame.format.name
    encoder.time_base = Fraction(1)
    frame.pts = 0
    return b"".join(bytes(packet) for packet in encoder.encode(frame) + encoder.encode(None))


def make_zip(path: Path, names: tuple[str, ...] = ("a.txt",)) -> Path:
    """Make a zip archive of small files."""
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, name * 10)
    return path


def decode_jpeg(data: bytes) -> av.VideoFrame:
    """Decode a JPEG."""
    with av.open(io.BytesIO(data), format="jpeg_pipe") as container:
        return next(container.decode(video=0))


def luma_at(frame: av.VideoFrame, x: float, y: float) -> int:
    """Luma at a place given as fractions of the width and height."""
    plane = frame.reformat(format="gray").planes[0]
    return bytes(plane)[int(y * frame.height) * plane.line_size + int(x * frame.width)]


def _encode(container: OutputContainer, stream: Stream, frames: Iterator[Frame]) -> None:
    for frame in frames:
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def _cue(stream: Stream, *, counted: bool) -> av.Packet:
    text = b"Hello"
    if counted:
        text = len(text).to_bytes(2, "big") + text  # 3GPP TS 26.245, 5.17
    packet = av.Packet(text)
    packet.stream, packet.time_base = stream, Fraction(1, 1000)
    packet.pts = packet.dts = 500
    packet.duration = 1000
    return packet


def _frames(
    video: VideoStream, times: list[int], rate: Fraction, luma: Luma
) -> Iterator[av.VideoFrame]:
    for time in times:
        frame = picture(video.width, video.height, lambda x, y, t=time: luma(t / rate, x, y))
        frame = frame.reformat(format=video.pix_fmt)
        frame.pts, frame.time_base = time, 1 / rate
        yield frame


def picture(width: int, height: int, luma: Callable[[int, int], int]) -> av.VideoFrame:
    """Make a gray frame, with luma given on a grid of 8 x 8 pixels."""
    frame = av.VideoFrame(width, height, "gray")
    plane = frame.planes[0]
    rows = []
    for top in range(0, height, 8):
        row = b"".join(bytes([luma(left, top)]) * 8 for left in range(0, width, 8))[:width]
        rows += [row.ljust(plane.line_size, b"\0")] * min(8, height - top)
    plane.update(b"".join(rows))
    return frame


def _tone(seconds: float, step: int) -> Iterator[av.AudioFrame]:
    wave = b"".join(struct.pack("<hh", v, v) for v in _sine(48000))
    for start in range(0, int(seconds * 48000), step):
        frame = av.AudioFrame("s16", "stereo", step)
        at = start % (48000 - step) * 4
        frame.planes[0].update(wave[at : at + step * 4])
        frame.sample_rate, frame.pts, frame.time_base = 48000, start, Fraction(1, 48000)
        yield frame


def _sine(count: int) -> list[int]:
    return [int(8000 * math.sin(n * 2 * math.pi * 440 / 48000)) for n in range(count)]


def damaged_video(path: Path, wanted: Callable[[int], bool]) -> Path:
    """A video of 96 pictures, of which those of the wanted numbers can't be decoded."""
    make_video(path, seconds=4, size=(64, 36), audio=False, codec="png", pix_fmt="rgb24")
    pieces = path.read_bytes().split(b"\x89PNG")
    data = pieces[0]
    for number, piece in enumerate(pieces[1:]):
        data += (b"GONE" if wanted(number) else b"\x89PNG") + piece
    path.write_bytes(data)
    return path
