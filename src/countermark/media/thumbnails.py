"""Pictures from a video: single images, a sprite sheet with its map, a poster.

Runs in the process that `child_process` starts. Each time is sought for and decoded up to, so
that a film of hours costs as much as its pictures.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import cast

import av
from av import VideoFrame
from av.container import InputContainer
from av.filter import Graph
from av.video.stream import VideoStream
from msgspec.structs import replace

from countermark.errors import DamagedMediaError, MissingTrackError
from countermark.media import colours
from countermark.media.demuxing import MAX_PIXELS
from countermark.media.encoding_settings import ThumbnailSettings, VideoSettings
from countermark.media.filtering import chain, pictures
from countermark.media.frames import telling_frame
from countermark.media.picture_size import Size
from countermark.media.probe import open_nameless
from countermark.media.sprite_map import Grid, grid_for, sprite_map
from countermark.media.survey import Picture, damage_told, open_input, survey
from countermark.media.thumbnail import encode_jpeg
from countermark.media.thumbnailing import MadeThumbnails, ThumbnailsRequest
from countermark.media.video_filters import Look, placement_of, shot_of, video_graph

_DEFAULT_NUMBER = 10
_MOST = 1000
_DEFAULT_WIDTH = 320
_POSTER = VideoSettings(width=1280, height=720)
_JPEG_QUALITY = 4
# A picture that no keyframe is near to isn't worth more decoding than this.
_MOST_DECODED = 600
_FORMATS = {"jpeg": ("jpg", "yuvj420p"), "png": ("png", "rgb24")}
Report = Callable[[float], None]


def make_thumbnails(request: ThumbnailsRequest, report: Report) -> MadeThumbnails:
    """Make pictures.

    Args:
        request: What from, where to, and which.
        report: Told the part that is done.

    Raises:
        PublicError: Why it can't be done; files may be left in the folder.
    """
    source = survey(Path(request.input), pictures=True, sound=False)
    if source.picture is None:
        raise MissingTrackError("It has no pictures to make thumbnails of.")
    seconds = (source.seconds or 0.0) - request.start_time / 1000
    if request.duration is not None:
        seconds = min(seconds, request.duration / 1000)
    begin = source.origin + Fraction(request.start_time, 1000)
    maker = _Maker(request, source.picture, begin, max(seconds, 0.0))
    with _opened(request) as container:
        made = maker.make(container, report)
    if not request.settings.poster:
        return made
    with _opened(request) as container:
        return replace(made, poster=maker.poster(container))


@contextmanager
def _opened(request: ThumbnailsRequest) -> Iterator[InputContainer]:
    with (
        open_nameless(Path(request.input)) as file,
        damage_told(),
        open_input(file) as container,
    ):
        yield container


class _Maker:
    def __init__(
        self, request: ThumbnailsRequest, picture: Picture, begin: Fraction, seconds: float
    ) -> None:
        self._folder = Path(request.folder)
        self._picture = picture
        self._begin = begin
        self._seconds = seconds
        self._wish = wish = request.settings
        self._size = VideoSettings(
            width=wish.width or (None if wish.height else _DEFAULT_WIDTH),
            height=wish.height,
            fit=wish.fit,
        )
        self._extension, self._format = _FORMATS[request.settings.format or "jpeg"]

    def make(self, container: InputContainer, report: Report) -> MadeThumbnails:
        """Make the images and the sheets."""
        if self._wish.images is False and not self._wish.sprite:
            return MadeThumbnails()
        times = list(_times(self._wish, self._seconds))
        images, shown, tiles = [], [], []
        for number, frame in enumerate(self._frames(container, times)):
            report(number / len(times))
            if frame is None:
                continue
            shown.append(round(times[number] * 1000))
            picture = self._small(frame, self._size)
            if self._wish.images is not False:
                images.append(self._write(f"thumbnail-{len(shown):04}", picture))
            if self._wish.sprite:  # otherwise they need not all be in memory
                tiles.append(picture)
        if not shown:
            raise DamagedMediaError("No picture of it can be decoded. Make it anew.")
        made = MadeThumbnails(images=tuple(images), times=tuple(shown))
        return self._sprites(tiles, made) if tiles else made

    def poster(self, container: InputContainer) -> str:
        """Make the large picture."""
        stream = cast("VideoStream", container.streams[self._picture.index])
        frame = telling_frame(container, stream, self._seconds or None)
        if frame is None:
            raise DamagedMediaError("No picture of it can be decoded. Make it anew.")
        return self._write("poster", self._small(frame, _POSTER))

    def _frames(self, container: InputContainer, times: list[float]) -> Iterator[VideoFrame | None]:
        stream = cast("VideoStream", container.streams[self._picture.index])
        stream.codec_context.options = {"max_pixels": str(MAX_PIXELS)}
        for time in times:
            yield _frame_at(container, stream, self._begin + Fraction(time))

    def _small(self, frame: VideoFrame, size: VideoSettings) -> VideoFrame:
        picture = self._picture
        whole = Size(picture.width, picture.height)
        placement = placement_of(whole, picture.pixel_aspect, picture.orientation, size)
        shot = shot_of(frame)
        shown = replace(
            colours.for_output(shot.colours, keep_hdr=False),
            matrix=colours.BT601_525,  # JFIF knows no other, and in RGB there is none
            range=colours.FULL,
        )
        time_base = Fraction(1)
        look = Look(
            size,
            picture.orientation,
            picture.pixel_aspect,
            placement.canvas,
            shown,
            self._format,
            time_base,
        )
        graph = video_graph(shot, look)
        frame.pts, frame.time_base = 0, time_base
        graph.vpush(frame)
        graph.vpush(None)
        return next(pictures(graph))

    def _sprites(self, tiles: list[VideoFrame], made: MadeThumbnails) -> MadeThumbnails:
        tile = Size(tiles[0].width, tiles[0].height)
        grid = grid_for(tile, len(tiles))
        sheets = tuple(
            self._write(f"sprite-{number:02}", sheet)
            for number, sheet in enumerate(_sheets(tiles, self._format, grid), start=1)
        )
        # Each is shown for the times that it is the nearest to.
        middles = [(a + b) // 2 for a, b in pairwise(made.times)]
        text = sprite_map(sheets, tile, grid, [0, *middles], round(self._seconds * 1000))
        (self._folder / "sprite.vtt").write_text(text, encoding="utf-8")
        return replace(made, sprites=sheets, sprite_map="sprite.vtt")

    def _write(self, name: str, picture: VideoFrame) -> str:
        file = f"{name}.{self._extension}"
        data = encode_jpeg(picture, _JPEG_QUALITY) if self._extension == "jpg" else _png(picture)
        (self._folder / file).write_bytes(data)
        return file


def _times(wish: ThumbnailSettings, seconds: float) -> Iterator[float]:
    """The times of the pictures, in the middles of as many even parts."""
    if wish.interval is not None:
        step = wish.interval / 1000
        count = min(_MOST, max(1, int(seconds / step)))
    else:
        count = wish.number or _DEFAULT_NUMBER
        step = seconds / count
    return (min((number + 0.5) * step, max(seconds - 0.001, 0)) for number in range(count))


def _frame_at(container: InputContainer, stream: VideoStream, time: Fraction) -> VideoFrame | None:
    """The picture on the screen at a time; the nearest before it that decodes."""
    latest = None
    end = time / (stream.time_base or Fraction(1, av.time_base))
    with suppress(DamagedMediaError), damage_told():  # what came before a damaged place stands
        container.seek(int(time * av.time_base))
        for count, frame in enumerate(container.decode(stream)):
            if frame.pts is not None and frame.pts > end and latest is not None:
                break
            latest = frame
            if count >= _MOST_DECODED:
                break
    return latest


def _sheets(tiles: list[VideoFrame], format_: str, grid: Grid) -> Iterator[VideoFrame]:
    graph = Graph()
    first = tiles[0]
    source = graph.add_buffer(
        width=first.width, height=first.height, format=first.format, time_base=Fraction(1)
    )
    chain(
        graph,
        source,
        [("tile", f"{grid.columns}x{grid.rows}"), ("format", format_), ("buffersink", None)],
    )
    graph.configure()
    for number, tile in enumerate(tiles):
        tile.pts = number
        graph.vpush(tile)
        yield from pictures(graph)
    graph.vpush(None)
    yield from pictures(graph)


def _png(picture: VideoFrame) -> bytes:
    encoder = av.CodecContext.create("png", "w")
    encoder.width, encoder.height = picture.width, picture.height
    encoder.pix_fmt = picture.format.name
    encoder.time_base = Fraction(1)
    picture.pts = 0
    return b"".join(bytes(packet) for packet in encoder.encode(picture) + encoder.encode(None))
