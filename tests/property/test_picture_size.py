"""What an output shows and how large, whatever the input's size and the settings."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countermark.errors import MediaSettingsError
from countermark.media.encoding_settings import Crop, VideoSettings
from countermark.media.picture_size import Size, place, squared

sides = st.integers(2, 9000)
lengths = st.none() | st.integers(16, 9000) | st.integers(1, 300).map(lambda n: f"{n}%")
crops = st.none() | st.builds(Crop, *[st.integers(0, 40)] * 4)
settings = st.builds(
    VideoSettings,
    width=lengths,
    height=lengths,
    fit=st.sampled_from([None, "inside", "pad", "cut", "stretch"]),
    upscale=st.sampled_from([None, False, True]),
    crop=crops,
)
large = st.integers(100, 9000)


@given(width=large, height=large, wishes=settings)
def test_every_side_is_even_and_nothing_sticks_out(
    width: int, height: int, wishes: VideoSettings
) -> None:
    picture = Size(width, height)
    part, scaled, canvas = place(picture, wishes)
    assert all(side % 2 == 0 and side >= 2 for side in (*scaled, *canvas))
    assert scaled.width <= canvas.width
    assert scaled.height <= canvas.height
    left, top, shown_width, shown_height = part.of(picture)
    crop = wishes.crop or Crop()
    assert crop.left <= left < left + shown_width <= width - crop.right
    assert crop.top <= top < top + shown_height <= height - crop.bottom


@given(width=sides, height=sides, wishes=settings.filter(lambda wishes: wishes.crop is None))
def test_nothing_is_upscaled_unless_asked(width: int, height: int, wishes: VideoSettings) -> None:
    _, scaled, _ = place(Size(width, height), wishes)
    if not wishes.upscale:
        assert scaled.width <= max(2, width)
        assert scaled.height <= max(2, height)


@given(width=large, height=large, wishes=settings)
def test_the_shape_stays_unless_it_is_to_be_stretched(
    width: int, height: int, wishes: VideoSettings
) -> None:
    part, scaled, _ = place(Size(width, height), wishes)
    if wishes.fit != "stretch":
        shown = (part.width * width, part.height * height)
        # Both shapes agree to the rounding of a side to an even number.
        assert abs(scaled.width * shown[1] - scaled.height * shown[0]) <= 2 * sum(shown)


def test_a_portrait_picture_turns_the_box() -> None:
    box = VideoSettings(width=1280, height=720)
    assert place(Size(1080, 1920), box).canvas == (720, 1280)
    assert place(Size(1920, 1080), box).canvas == (1280, 720)
    assert place(Size(1440, 1080), box).canvas == (960, 720)


def test_a_box_may_be_filled_by_bars_or_by_cutting() -> None:
    wide, box = Size(1920, 800), (1280, 720)
    padded = place(wide, VideoSettings(width=1280, height=720, fit="pad"))
    assert (padded.scaled, padded.canvas) == ((1280, 534), box)
    cut = place(wide, VideoSettings(width=1280, height=720, fit="cut"))
    assert (cut.part.of(wide), cut.canvas) == ((249, 0, 1422, 800), box)
    assert place(wide, VideoSettings(width=1280, height=720, fit="stretch")).canvas == box


def test_percent_are_of_the_upright_picture_with_square_pixels() -> None:
    dvd = squared(720, 576, Fraction(64, 45))
    assert dvd == (1024, 576)
    assert place(dvd, VideoSettings(width="50%")).canvas == (512, 288)
    assert place(dvd, VideoSettings(width="200%")).canvas == (1024, 576)
    assert place(dvd, VideoSettings(width="200%", upscale=True)).canvas == (2048, 1152)


def test_cropping_takes_off_the_sides_before_anything_else() -> None:
    picture = Size(640, 480)
    crop = Crop(left=40, right=0, top=60, bottom=60)
    part, scaled, _ = place(picture, VideoSettings(crop=crop))
    assert part.of(picture) == (40, 60, 600, 360)
    assert scaled == (600, 360)
    with pytest.raises(MediaSettingsError):
        place(picture, VideoSettings(crop=Crop(left=400, right=240)))
