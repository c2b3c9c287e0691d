"""Making one output from one input; runs in the process that `child_process` starts.

    survey → one or two readings of: demux → decode → filter → encode → mux

The packets of the input are handed to the lanes of the output in the order of the file, so that
memory stays bounded and picture and sound stay side by side. A first reading comes before only
where something must be known of the whole: what two-pass encoding learns, how loud it is.
"""

import gc
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer, OutputContainer

from countermark.errors import DamagedMediaError, MediaSettingsError
from countermark.media.audio_lane import LoudnessLane
from countermark.media.encoders import MUXERS
from countermark.media.encoding_settings import EncodingSettings
from countermark.media.encoding_thread import lack_told
from countermark.media.lane_plan import Job, first_lanes, last_lanes, planned
from countermark.media.lanes import Lane
from countermark.media.packets import AnyPacket
from countermark.media.probe import open_nameless
from countermark.media.reading import packets_of
from countermark.media.survey import damage_told, open_input
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
    if not job.output.exists():
        raise DamagedMediaError("Nothing of it could be read. Make it anew.")
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
        if job.begins_within:
            # Without seeking, what comes before the span is read and left out.
            with suppress(DamagedMediaError), damage_told():
                source.seek(int((job.span.start - _RUN_UP) * av.time_base))
        outlet = _Outlet(target)
        try:
            with damage_told():
                _hand_on(source, outlet, lanes, _progress(job, lanes, report))
        except DamagedMediaError as error:
            if outlet.is_used or not isinstance(error.__cause__, av.error.ArgumentError):
                raise
            # Before the first packet, it is the encoders' word for what they don't do.
            reason = f"{job.settings.container}: {error.__cause__.strerror}"
            raise MediaSettingsError(reason) from error
        return list(lanes.values())


class _Outlet:
    """Where packets go."""

    def __init__(self, target: OutputContainer) -> None:
        self._target = target
        self.is_used = False

    def take(self, packets: Iterable[AnyPacket]) -> None:
        for packet in packets:
            with lack_told():  # the first one opens the encoders
                self._target.mux(packet)
            self.is_used = True


def _hand_on(
    source: InputContainer, outlet: _Outlet, lanes: dict[int, Lane], report: Callable[[], None]
) -> None:
    for packet in packets_of(source, [source.streams[index] for index in lanes]):
        lane = lanes[packet.stream_index]
        outlet.take(lane.take(packet))
        report()
        if lane.is_done and all(one.is_done for one in lanes.values()):
            break
    for lane in lanes.values():
        outlet.take(lane.finish())


def _progress(job: Job, lanes: dict[int, Lane], report: Report) -> Callable[[], None]:
    length = job.expected_seconds

    def tell() -> None:
        if length:
            report(min(max(lane.seconds for lane in lanes.values()) / length, 1.0))

    return tell
