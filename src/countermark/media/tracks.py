"""Describing the tracks of an open container, with numbers that the header may lack."""

import re
from fractions import Fraction

from av.audio.stream import AudioStream
from av.stream import Disposition, Stream
from av.subtitles.stream import SubtitleStream
from av.video.stream import VideoStream
from msgspec import Struct

from countermark.media.description import AudioTrack, Orientation, SubtitleTrack, VideoTrack
from countermark.media.labels import codec_label
from countermark.media.measuring import Measurement, Tally

# A header may claim any duration; ten years is beyond every real recording.
_LONGEST_SECONDS = 10 * 366 * 86400.0
_HIGHEST_RATE = 1000
_LOSSY_SAMPLE_BITS = 16
_PCM_BITS = re.compile(r"pcm_[suf](\d+)")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")
_STREAMINFO_SIZE = 34


class Timing(Struct, frozen=True):
    """What is known about the time axis of a file as a whole.

    Attributes:
        size: Bytes of the file.
        seconds: Duration by the header; None if absent, or only FFmpeg's guess.
        trusted: Whether the header's times count at all.
        measurement: The packets' tallies; None if the headers made them unnecessary.
    """

    size: int
    seconds: float | None
    trusted: bool
    measurement: Measurement | None

    def duration(self) -> float | None:
        """Seconds of the whole file."""
        if self.seconds is not None:
            return _plausible(self.seconds)
        if self.measurement is None:
            return None
        longest = max((t.seconds for t in self.measurement.tallies.values()), default=0.0)
        if not self.measurement.complete and self.measurement.size:
            longest *= self.size / self.measurement.size
        return _plausible(longest)

    def duration_of(self, stream: Stream) -> float | None:
        """Seconds of one track: the header's, else measured, else the file's."""
        if self.trusted and stream.duration and stream.time_base:
            return _plausible(float(stream.duration * stream.time_base))
        tally = self._tally(stream)
        if self.measurement is not None and self.measurement.complete and tally.seconds:
            return _plausible(tally.seconds)
        return self.duration()

    def bitrate_of(self, stream: Stream) -> float | None:
        """Bits per second of one track: the header's, else counted over what was read."""
        stated = stream.codec_context.bit_rate if stream.codec_context else None
        if stated and stated > 0:
            return float(stated)
        tally = self._tally(stream)
        return tally.size * 8 / tally.seconds if tally.size and tally.seconds else None

    def _tally(self, stream: Stream) -> Tally:
        tallies = self.measurement.tallies if self.measurement else {}
        return tallies.get(stream.index, Tally())


def is_cover(stream: Stream) -> bool:
    """Tell whether a video stream is a picture that goes with the file, such as an album cover."""
    return bool(stream.disposition & (Disposition.attached_pic | Disposition.timed_thumbnails))


def describe_video(
    stream: VideoStream, timing: Timing, orientation: Orientation | None, others: float
) -> VideoTrack:
    """Describe a video track.

    Args:
        stream: The track.
        timing: The file's time axis.
        orientation: From a decoded frame.
        others: Bits per second of the file's other tracks: a video track too long to be
            measured whole gets what they leave of the file.
    """
    bitrate = timing.bitrate_of(stream)
    stated = bool(stream.codec_context and stream.codec_context.bit_rate)
    seconds = timing.duration()
    if not stated and timing.measurement and not timing.measurement.complete and seconds:
        bitrate = max(timing.size * 8 / seconds - others, 0.0) or bitrate
    context = stream.codec_context
    return VideoTrack(
        video_codec=_codec(stream),
        video_bitrate=_kilobits(bitrate),
        width=context.width,
        height=context.height,
        framerate=frame_rate(stream.average_rate or stream.guessed_rate),
        aspect_ratio=_pixel_aspect(stream.sample_aspect_ratio),
        video_duration=milliseconds(timing.duration_of(stream)),
        orientation=orientation,
    )


def describe_audio(stream: AudioStream, timing: Timing) -> AudioTrack:
    """Describe an audio track."""
    context = stream.codec_context
    return AudioTrack(
        audio_codec=_codec(stream),
        audio_bitrate=_kilobits(timing.bitrate_of(stream)),
        audio_width=_sample_bits(stream) if context else None,
        samplingrate=(context.sample_rate or None) if context else None,
        nb_channels=(context.channels or None) if context else None,
        audio_duration=milliseconds(timing.duration_of(stream)),
    )


def describe_subtitles(stream: SubtitleStream) -> SubtitleTrack:
    """Describe a subtitle track."""
    language = stream.metadata.get("language", "")
    known = _LANGUAGE.fullmatch(language) and language != "und"
    return SubtitleTrack(_codec(stream), language if known else None)


def frame_rate(rate: Fraction | None) -> int | float | None:
    """Round a frame rate to two decimals, as in 24000/1001 = 23.98; None if it can't be one."""
    if rate is None or not 0 < rate <= _HIGHEST_RATE:
        return None
    rounded = round(float(rate), 2)
    return (int(rounded) if rounded.is_integer() else rounded) or None


def milliseconds(seconds: float | None) -> int | None:
    """Convert a duration; None stays None."""
    return None if seconds is None else round(seconds * 1000)


def _plausible(seconds: float) -> float | None:
    return seconds if 0 < seconds <= _LONGEST_SECONDS else None


def _kilobits(bits: float | None) -> int | None:
    return max(1, round(bits / 1000)) if bits else None


def _pixel_aspect(aspect: Fraction | None) -> str:
    # Absent means square, in the formats and in players alike.
    return f"{aspect.numerator}:{aspect.denominator}" if aspect and aspect > 0 else "1:1"


def _codec(stream: Stream) -> str | None:
    if stream.codec_context is None:  # FFmpeg has no decoder, and PyAV then tells no name
        return None
    codec = stream.codec_context.codec
    return codec_label(codec.canonical_name, codec.long_name)


def _sample_bits(stream: AudioStream) -> int | None:
    """Bits per sample: lossy codecs decode to floating point, which counts as 16."""
    name = stream.codec_context.codec.canonical_name
    if match := _PCM_BITS.match(name):
        return int(match[1])
    extradata = stream.codec_context.extradata
    if name == "flac" and extradata and len(extradata) >= _STREAMINFO_SIZE:  # RFC 9639, 8.2
        return ((extradata[12] & 1) << 4 | extradata[13] >> 4) + 1
    layout = stream.codec_context.format
    if layout is None or layout.name.startswith(("flt", "dbl")):
        return _LOSSY_SAMPLE_BITS
    return layout.bits
