"""Making one output from one input; runs in the process that `child_process` starts.

    survey → one or two readings of: demux → decode → filter → encode → mux

The packets of the input are handed to the lanes of the output in the order of the file, so that
memory stays bounded and picture and sound stay side by side. A first reading comes before only
where something must be known of the whole: what two-pass encoding learns, how loud it is.
"""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer, OutputContainer
from av.stream import Stream

from countermark.errors import DamagedMediaError, MediaSettingsError
from countermark.media.audio_lane import LoudnessLane
from countermark.media.encoders import MUXERS
from countermark.media.encoding_settings import EncodingSettings
from countermark.media.lane_plan import Job, first_lanes, last_lanes, planned
from countermark.media.lanes import Lane
from countermark.media.probe import open_nameless
from countermark.media.reading import packets_of
from countermark.media.survey import open_input
from countermark.media.transcoding import Transcoded, TranscodeRequest

_FASTSTART = frozenset({"mp4", "mov", "m4a"})
# Sound sets out earlier than its time, by what its coder needs to get going.
_RUN_UP = Fraction(1, 10)
Report = Callable[[float], None]


def transcode(request: TranscodeRequest, report: Report) -> Transcoded:
    """Make an output.

    Args:
        request: What from, where to, and how.
        report: Told the part that is done.

    Raises:
        PublicError: Why it can't be done; nothing is left at the output's path then.
    """
    output = Path(request.output)
    try:
        return _transcode(planned(request), report)
    except BaseException:
        output.unlink(missing_ok=True)
        raise
    finally:
        for path in output.parent.glob(f"{output.name}.pass*"):
            path.unlink()


def _transcode(job: Job, report: Report) -> Transcoded:
    if job.needs_two_readings:
        job = job.louder_by(_first_reading(job, lambda part: report(part / 2)))
        # An encoder writes what it learned when it is closed, which takes the last reference.
        gc.collect()
    before = 0.5 if job.needs_two_readings else 0.0
    with _output(job.output, job.settings) as target:
        target.metadata.update(job.source.tags)
        lanes = _read(job, target, last_lanes, lambda part: report(before + part * (1 - before)))
    warnings = tuple(warning for lane in lanes for warning in lane.warnings())
    seconds = max(lane.seconds for lane in lanes)
    return Transcoded(job.output.stat().st_size, seconds, warnings)


def _first_reading(job: Job, report: Report) -> float:
    """Learn what the second needs; return how much louder the sound must be, dB."""
    with av.open("/dev/null", "w", format="null") as nowhere:
        lanes = _read(job, nowhere, first_lanes, report)
    return next((lane.gain() for lane in lanes if isinstance(lane, LoudnessLane)), 0.0)


@contextmanager
def _output(path: Path, settings: EncodingSettings) -> Iterator[OutputContainer]:
    options = {"movflags": "+faststart"} if settings.container in _FASTSTART else {}
    with av.open(f"file:{path}", "w", format=MUXERS[settings.container], options=options) as target:
        yield target


LaneMaker = Callable[[InputContainer, OutputContainer, Job], dict[int, Lane]]


def _read(job: Job, target: OutputContainer, lanes_of: LaneMaker, report: Report) -> list[Lane]:
    """Read the input once, from the span's start to its end."""
    with open_nameless(job.input) as file, open_input(file) as source:
        lanes = lanes_of(source, target, job)
        streams = [source.streams[index] for index in lanes]
        if job.begins_within:
            source.seek(int((job.span.start - _RUN_UP) * av.time_base))
        try:
            _hand_on(source, target, lanes, streams, _progress(job, lanes, report))
        except (av.error.InvalidDataError, av.error.EOFError) as error:
            raise DamagedMediaError from error
        except av.error.ArgumentError as error:
            # The encoders' and muxers' word for what they don't do.
            raise MediaSettingsError(f"{job.settings.container}: {error.strerror}") from error
        return list(lanes.values())


def _hand_on(
    source: InputContainer,
    target: OutputContainer,
    lanes: dict[int, Lane],
    streams: list[Stream],
    report: Callable[[], None],
) -> None:
    for packet in packets_of(source, streams):
        lane = lanes[packet.stream_index]
        for made in lane.take(packet):
            target.mux(made)
        report()
        if lane.is_done and all(one.is_done for one in lanes.values()):
            break
    for lane in lanes.values():
        for made in lane.finish():
            target.mux(made)


def _progress(job: Job, lanes: dict[int, Lane], report: Report) -> Callable[[], None]:
    length = job.expected_seconds

    def tell() -> None:
        if length:
            report(min(max(lane.seconds for lane in lanes.values()) / length, 1.0))

    return tell
