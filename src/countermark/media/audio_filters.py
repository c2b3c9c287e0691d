"""What happens to sound between decoder and encoder.

    fill and cut, resample and mix → trim → level → form

Gaps are filled with silence and what overlaps is cut, so that sound stays beside the pictures in
every player, whatever it makes of edit lists; it always begins at zero.
"""

from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

import av
from av import AudioFrame
from av.filter import Graph

from countermark.media.filtering import Step, chain, sounds
from countermark.media.lanes import Span

# A shift between sound and pictures that is put right with silence or a cut, seconds. ITU-R
# BT.1359 finds 45 ms to be the first that is noticed.
_MOST_SHIFT = 0.04
# Room between the loudest sample and full scale, so that lossy coding doesn't clip: -1 dB.
_CEILING = 0.891
_DEFAULT_LAYOUTS = ("mono", "stereo", "2.1", "quad", "5.0", "5.1", "6.1", "7.1")


class Mix(NamedTuple):
    """The form that sound is brought into.

    Attributes:
        sample: FFmpeg's name of the form of a sample.
        rate: Samples per second.
        layout: FFmpeg's name of the arrangement of channels.
        span: The part of the input.
        gain: How much louder it shall be, dB.
        is_measured: Whether its loudness is measured.
    """

    sample: str
    rate: int
    layout: str
    span: Span
    gain: float = 0.0
    is_measured: bool = False


class FilteredSound:
    """Brings decoded sound into one form, at its place in the output's time.

    Attributes:
        mix: The form.
        seconds: How far it is.
        is_done: Whether all of the span was seen.
        loudness: Of all that has come out, LUFS, if it is measured.
    """

    def __init__(self, mix: Mix) -> None:
        self.mix = mix
        self.seconds = 0.0
        self.is_done = False
        self.loudness: float | None = None
        self._pitch: _Pitch | None = None
        self._graph: Graph | None = None
        self._samples = 0

    def take(self, frame: AudioFrame) -> Iterator[AudioFrame]:
        """Give what comes of a decoded piece."""
        if self.is_done:
            return
        pitch = _pitch_of(frame)
        if pitch != self._pitch or self._graph is None:
            yield from self.rest()
            self._pitch, self._graph = pitch, _graph(pitch, self.mix, self._samples)
        start = round(self.mix.span.start / pitch.time_base)
        if frame.pts is not None:
            frame.pts -= start
        try:
            self._graph.push(frame)
        except av.error.EOFError:  # the filter that trims has had its last sample
            self.is_done = True
            return
        yield from self._out(self._graph)

    def rest(self) -> Iterator[AudioFrame]:
        """Give what the filters still hold."""
        if self._graph is not None:
            self._graph.push(None)
            yield from self._out(self._graph)
            self._graph = None

    def _out(self, graph: Graph) -> Iterator[AudioFrame]:
        length = self.mix.span.length
        for frame in sounds(graph):
            frame.pts, frame.time_base = self._samples, Fraction(1, self.mix.rate)
            self._samples += frame.samples
            self.seconds = self._samples / self.mix.rate
            self.is_done = self.is_done or (length is not None and self.seconds >= length)
            if self.mix.is_measured and (told := frame.metadata.get("lavfi.r128.I")):
                self.loudness = float(told)
            yield frame


class _Pitch(NamedTuple):
    """The form in which sound comes; when it changes, the filters are made anew."""

    sample: str
    rate: int
    layout: str
    time_base: Fraction


def _pitch_of(frame: AudioFrame) -> _Pitch:
    channels = frame.layout.nb_channels
    layout = frame.layout.name
    if layout.endswith("channels"):  # a number of them, in no known arrangement
        layout = _DEFAULT_LAYOUTS[channels - 1] if channels <= len(_DEFAULT_LAYOUTS) else layout
    time_base = frame.time_base or Fraction(1, frame.sample_rate)
    return _Pitch(frame.format.name, frame.sample_rate, layout, time_base)


def _graph(pitch: _Pitch, mix: Mix, samples: int) -> Graph:
    graph = Graph()
    source = graph.add(
        "abuffer",
        f"sample_rate={pitch.rate}:sample_fmt={pitch.sample}:channel_layout={pitch.layout}"
        f":time_base={pitch.time_base}",
    )
    begin = round(Fraction(samples * pitch.rate, mix.rate))
    chain(graph, source, [*_steps(mix, begin), ("abuffersink", None)])
    graph.configure()
    return graph


def _steps(mix: Mix, begin: int) -> list[Step]:
    steps: list[Step] = [
        ("aresample", f"async=1:min_hard_comp={_MOST_SHIFT}:first_pts={begin}"),
        ("aformat", f"sample_fmts=fltp:sample_rates={mix.rate}:channel_layouts={mix.layout}"),
    ]
    if mix.span.length is not None:
        steps.append(("atrim", f"end={float(mix.span.length)}"))
    if mix.is_measured:
        steps.append(("ebur128", "metadata=1:framelog=quiet"))
    if mix.gain:
        steps.append(("volume", f"{mix.gain}dB"))
        steps.append(("alimiter", f"limit={_CEILING}:level=0"))
    return [*steps, ("aformat", f"sample_fmts={mix.sample}")]
