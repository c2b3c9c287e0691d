"""Deciding which tracks an output has, and what each is made of."""

from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

from av.container import InputContainer, OutputContainer

from countermark.errors import MediaSettingsError, MissingTrackError
from countermark.media.audio_lane import AudioLane, AudioPlan, LoudnessLane
from countermark.media.copy_lane import CopyLane
from countermark.media.encoders import check_container
from countermark.media.encoding_settings import EncodingSettings
from countermark.media.lanes import Lane, Span
from countermark.media.logo import LogoPicture, read_logo
from countermark.media.subtitle_lane import TEXT_ENCODERS, SubtitleLane
from countermark.media.survey import Survey, survey
from countermark.media.tracks import is_cover
from countermark.media.transcoding import TranscodeRequest
from countermark.media.video_lane import VideoLane, VideoPlan

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.subtitles.stream import SubtitleStream
    from av.video.stream import VideoStream


_MOST_CHAPTERS = 1000


class Job(NamedTuple):
    """One output of one input, all of it decided.

    Attributes:
        input: The file to read.
        output: The file to write.
        settings: What it shall be.
        source: What the input has.
        span: The part of it that is used.
        logos: What is laid over its pictures.
        gain: How much louder the sound shall be, dB.
    """

    input: Path
    output: Path
    settings: EncodingSettings
    source: Survey
    span: Span
    logos: tuple[LogoPicture, ...]
    gain: float = 0.0

    @property
    def has_two_passes(self) -> bool:
        """Whether the pictures are encoded twice."""
        settings = self.settings.video
        return settings is not None and settings.passes == 2 and self.source.picture is not None  # noqa: PLR2004

    @property
    def is_leveled(self) -> bool:
        """Whether the sound must be measured first."""
        settings = self.settings.audio
        return (
            settings is not None and settings.loudness is not None and self.source.sound is not None
        )

    @property
    def needs_two_readings(self) -> bool:
        """Whether something must be known of the whole before the output is made."""
        return self.has_two_passes or self.is_leveled

    @property
    def begins_within(self) -> bool:
        """Whether the output begins later than the input."""
        return self.span.start > self.source.origin

    @property
    def expected_seconds(self) -> float | None:
        """How long the output will be; None if the input doesn't tell."""
        if self.source.seconds is None:
            return None if self.span.length is None else float(self.span.length)
        rest = self.source.seconds - float(self.span.start - self.source.origin)
        return rest if self.span.length is None else min(rest, float(self.span.length))

    def louder_by(self, gain: float) -> "Job":
        """The same with another gain."""
        return self._replace(gain=gain)


def planned(request: TranscodeRequest) -> Job:
    """Look at the input and decide.

    Raises:
        PublicError: Why there can be no such output.
    """
    settings = request.settings
    _check(settings)
    source = survey(
        Path(request.input),
        pictures=settings.video is not None and settings.video.codec != "copy",
        sound=settings.audio is not None and settings.audio.codec != "copy",
    )
    start = source.origin + Fraction(request.start_time, 1000)
    length = None if request.duration is None else Fraction(request.duration, 1000)
    if source.seconds is not None and start - source.origin >= source.seconds:
        raise MediaSettingsError(
            f"start_time: the input is only {source.seconds * 1000:.0f} milliseconds long"
        )
    logos = tuple(read_logo(logo.logo, Path(logo.path)) for logo in request.logos)
    return Job(
        Path(request.input), Path(request.output), settings, source, Span(start, length), logos
    )


def first_lanes(source: InputContainer, target: OutputContainer, job: Job) -> dict[int, Lane]:
    """The lanes of a reading that only learns."""
    lanes = _video_lane(source, target, job, 1) if job.has_two_passes else {}
    if job.is_leveled and (plan := _audio_plan(job)):
        stream = cast("AudioStream", source.streams[plan.source.index])
        lanes[stream.index] = LoudnessLane(stream, plan)
    return lanes


def last_lanes(source: InputContainer, target: OutputContainer, job: Job) -> dict[int, Lane]:
    """The lanes of the reading that makes the output.

    Raises:
        MissingTrackError: There would be none.
    """
    lanes = _video_lane(source, target, job, 2 if job.has_two_passes else None)
    lanes |= _audio_lane(source, target, job)
    if not lanes:
        wanted = "sound" if job.settings.video is None else "pictures"
        raise MissingTrackError(f"It has no {wanted}. Use another preset or another input.")
    if job.settings.subtitles is not False:
        lanes |= _subtitle_lanes(source, target, job)
    if job.span == Span(job.source.origin, None) and (chapters := source.chapters()):
        target.set_chapters(chapters[:_MOST_CHAPTERS])
    return lanes


def _check(settings: EncodingSettings) -> None:
    video, audio = settings.video, settings.audio
    if video is None and audio is None:
        raise MediaSettingsError("neither video nor audio is wanted")
    check_container(
        settings.container,
        (video.codec or "h264") if video else None,
        (audio.codec or "aac") if audio else None,
    )


def _video_lane(
    source: InputContainer, target: OutputContainer, job: Job, pass_: int | None
) -> dict[int, Lane]:
    settings = job.settings.video
    if settings is None:
        return {}
    if settings.codec == "copy":
        videos = [stream for stream in source.streams.video if not is_cover(stream)]
        return _copies(videos, target, job)
    if (picture := job.source.picture) is None:
        return {}
    plan = VideoPlan(picture, settings, job.span, job.logos, pass_, f"{job.output}.pass")
    stream = cast("VideoStream", source.streams[picture.index])
    return {stream.index: VideoLane(stream, target, plan)}


def _audio_lane(source: InputContainer, target: OutputContainer, job: Job) -> dict[int, Lane]:
    settings = job.settings.audio
    if settings is not None and settings.codec == "copy":
        return _copies(list(source.streams.audio), target, job)
    if (plan := _audio_plan(job)) is None:
        return {}
    stream = cast("AudioStream", source.streams[plan.source.index])
    return {stream.index: AudioLane(stream, target, plan)}


def _audio_plan(job: Job) -> AudioPlan | None:
    settings, sound = job.settings.audio, job.source.sound
    if settings is None or sound is None:
        return None
    return AudioPlan(sound, settings, job.span, job.gain)


def _subtitle_lanes(source: InputContainer, target: OutputContainer, job: Job) -> dict[int, Lane]:
    encoder = TEXT_ENCODERS.get(job.settings.container)
    if encoder is None:
        return {}
    streams = [cast("SubtitleStream", source.streams[index]) for index in job.source.texts]
    return {s.index: SubtitleLane(s, target, encoder, job.span) for s in streams}


def _copies(
    streams: "list[VideoStream] | list[AudioStream]", target: OutputContainer, job: Job
) -> dict[int, Lane]:
    return {stream.index: CopyLane(stream, target, job.span) for stream in streams}
