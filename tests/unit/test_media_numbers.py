from fractions import Fraction
from pathlib import Path

import pytest

from countermark.media.orientation import of_matrix
from countermark.media.probe import open_nameless
from countermark.media.thumbnail import fit
from countermark.media.tracks import frame_rate
from countermark.media.zip_archive import is_zip
from support.media import make_zip

ONE = 65536


@pytest.mark.parametrize(
    ("rate", "shown"),
    [
        (Fraction(24000, 1001), 23.98),
        (Fraction(30000, 1001), 29.97),
        (Fraction(30), 30),
        (Fraction(25, 2), 12.5),
        (Fraction(90000), None),
        (Fraction(1, 1000), None),
        (None, None),
    ],
)
def test_frame_rates_have_two_decimals_and_whole_ones_none(
    rate: Fraction | None, shown: float | None
) -> None:
    assert frame_rate(rate) == shown
    assert type(frame_rate(rate)) is type(shown)


@pytest.mark.parametrize(
    ("corner", "orientation"),
    [
        ((ONE, 0, 0, ONE), None),
        ((0, ONE, -ONE, 0), "rotate-90"),
        ((-ONE, 0, 0, -ONE), "rotate-180"),
        ((0, -ONE, ONE, 0), "rotate-270"),
        ((-ONE, 0, 0, ONE), "flip-rotate-0"),
        ((0, -ONE, -ONE, 0), "flip-rotate-90"),
        ((ONE, 0, 0, -ONE), "flip-rotate-180"),
        ((0, ONE, ONE, 0), "flip-rotate-270"),
        ((9, 2 * ONE, -ONE, -7), "rotate-90"),
        ((0, 0, 0, 0), None),
    ],
)
def test_a_display_matrix_names_flip_and_clockwise_turn(
    corner: tuple[int, int, int, int], orientation: str | None
) -> None:
    a, b, c, d = corner
    assert of_matrix((a, b, 0, c, d, 0, 0, 0, 1 << 30)) == orientation


@pytest.mark.parametrize(
    ("size", "aspect", "shown"),
    [
        ((1920, 1080), None, (320, 180)),
        ((1080, 1920), None, (180, 320)),
        ((100, 50), None, (100, 50)),
        ((720, 576), Fraction(16, 11), (320, 176)),
        ((100, 50), Fraction(1, 2), (50, 50)),
        ((10000, 1), None, (320, 1)),
    ],
)
def test_thumbnails_fit_the_long_side_with_square_pixels_and_never_grow(
    size: tuple[int, int], aspect: Fraction | None, shown: tuple[int, int]
) -> None:
    assert fit(*size, aspect) == shown


def test_a_zip_is_known_by_its_directory(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "archive.bin")
    with open_nameless(path) as file:
        assert is_zip(file)


@pytest.mark.parametrize("kept", [0, 4, 30, -1, -22])
def test_a_cut_zip_is_not_a_zip(tmp_path: Path, kept: int) -> None:
    path = make_zip(tmp_path / "archive.zip")
    path.write_bytes(path.read_bytes()[:kept])
    with open_nameless(path) as file:
        assert not is_zip(file)


def test_an_empty_zip_is_a_zip(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "archive.zip", names=())
    with open_nameless(path) as file:
        assert is_zip(file)
