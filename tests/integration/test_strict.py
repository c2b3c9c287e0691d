"""Decoding that takes no complaint."""

from io import FileIO
from pathlib import Path

import av
import pytest

from countermark.media.strict import FlawError, flawless_pictures
from support.media import make_video


def test_a_good_film_decodes_whole(tmp_path: Path) -> None:
    film = make_video(tmp_path / "film.mp4", seconds=1, size=(160, 90), rate=24)
    with FileIO(film) as file:
        assert sum(1 for _ in flawless_pictures(file)) == 24


def test_a_damaged_film_is_refused(tmp_path: Path) -> None:
    film = make_video(tmp_path / "film.mp4", seconds=1, size=(160, 90), rate=24)
    data = bytearray(film.read_bytes())
    start = data.index(b"mdat")
    middle = start + (data.index(b"moov") - start if data.find(b"moov") > start else 4000) // 2
    data[middle : middle + 200] = bytes(200)
    film.write_bytes(data)
    with FileIO(film) as file, pytest.raises(FlawError):
        list(flawless_pictures(file))


def test_what_ffmpeg_says_is_no_longer_heard_afterwards(tmp_path: Path) -> None:
    # Whoever frees a threaded decoder that still speaks would wait for it for ever.
    film = make_video(tmp_path / "film.mp4", seconds=0.2, size=(160, 90), rate=24)
    with FileIO(film) as file:
        list(flawless_pictures(file))
    assert av.logging.get_level() is None
