"""Sound on its way from one track to another: decode, mix, level, encode."""

from collections.abc import Iterator
from typing import NamedTuple, cast

from av import AudioFrame
from av.audio.stream import AudioStream
from av.container import OutputContainer

from countermark.media.audio_filters import FilteredSound, Mix
from countermark.media.decoding import Decoder
from countermark.media.encoders import SOUND_FORMATS, audio_encoder
from countermark.media.encoding_settings import AudioSettings
from countermark.media.lanes import Span, carry_language
from countermark.media.packets import AnyPacket
from countermark.media.picture_size import in_pixels
from countermark.media.survey import Sound

_MOST_CHANNELS = 2
# EBU R 128 measures nothing below; what is so quiet is silence, not to be made louder.
_SILENCE = -69.0


class AudioPlan(NamedTuple):
    """What to make of the sound.

    Attributes:
        source: What it is.
        settings: What it shall be.
        span: The part of the input.
        gain: How much louder it shall be, dB.
    """

    source: Sound
    settings: AudioSettings
    span: Span
    gain: float = 0.0


class _SoundLane:
    """What the lanes of sound have in common; the packets come from `_made`."""

    def __init__(self, stream: AudioStream, mix: Mix) -> None:
        self._decoder: Decoder[AudioFrame] = Decoder(stream)
        self._filtered = FilteredSound(mix)

    @property
    def seconds(self) -> float:
        """How far it is in the output's time."""
        return self._filtered.seconds

    @property
    def is_done(self) -> bool:
        """Whether the span has been seen whole."""
        return self._filtered.is_done

    def take(self, packet: AnyPacket) -> Iterator[AnyPacket]:
        """Give what comes of a packet; see `Lane`."""
        for frame in self._decoder.frames(packet):
            yield from self._made(self._filtered.take(frame))

    def finish(self) -> Iterator[AnyPacket]:
        """Give what is left; see `Lane`."""
        for frame in self._decoder.frames(None):
            yield from self._made(self._filtered.take(frame))
        yield from self._made(self._filtered.rest())

    def warnings(self) -> list[str]:
        """What was not as it should be."""
        if self._decoder.damaged:
            return [f"{self._decoder.damaged} damaged pieces of sound were left out."]
        return []

    def _made(self, frames: Iterator[AudioFrame]) -> Iterator[AnyPacket]:
        for _ in frames:
            pass
        return iter(())


class AudioLane(_SoundLane):
    """Decodes, mixes, levels and encodes sound; a `Lane`."""

    def __init__(self, stream: AudioStream, target: OutputContainer, plan: AudioPlan) -> None:
        mix = _mix(plan)
        super().__init__(stream, mix)
        self._output = _output(target, plan, mix)
        carry_language(stream, self._output)

    def finish(self) -> Iterator[AnyPacket]:
        """Give what is left; see `Lane`."""
        yield from super().finish()
        yield from self._output.encode(None)

    def _made(self, frames: Iterator[AudioFrame]) -> Iterator[AnyPacket]:
        for frame in frames:
            yield from self._output.encode(frame)


class LoudnessLane(_SoundLane):
    """Measures how loud the sound will be, and makes nothing of it; a `Lane`."""

    def __init__(self, stream: AudioStream, plan: AudioPlan) -> None:
        super().__init__(stream, _mix(plan)._replace(is_measured=True))
        self._wish = plan.settings.loudness

    def gain(self) -> float:
        """How much louder the sound must be, dB; 0 for silence."""
        loudness = self._filtered.loudness
        if self._wish is None or loudness is None or not loudness > _SILENCE:
            return 0.0
        return self._wish - loudness


def _mix(plan: AudioPlan) -> Mix:
    format_ = SOUND_FORMATS[plan.settings.codec or "aac"]
    most = min(plan.source.channels, plan.settings.channels or _MOST_CHANNELS)
    layout = [name for channels, name in format_.layouts if channels <= max(most, 1)][-1]
    wish = plan.settings.samplingrate or plan.source.samplingrate
    rate = next((rate for rate in format_.rates if rate >= wish), format_.rates[-1])
    return Mix(format_.sample, rate, layout, plan.span, plan.gain)


def _output(target: OutputContainer, plan: AudioPlan, mix: Mix) -> AudioStream:
    bitrate = in_pixels(plan.settings.bitrate, (plan.source.bitrate or 0) // 1000)
    channels = next(
        n for n, name in SOUND_FORMATS[plan.settings.codec or "aac"].layouts if name == mix.layout
    )
    encoder = audio_encoder(plan.settings, bitrate * 1000 if bitrate else None, channels)
    stream = target.add_stream(encoder.name, rate=mix.rate, options=encoder.options)
    stream = cast("AudioStream", stream)
    stream.codec_context.layout = mix.layout
    stream.codec_context.format = mix.sample
    return stream
