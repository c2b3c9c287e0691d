"""Consecutive segments, encoded apart, come out as they would in the middle of their film."""

from pathlib import Path

import numpy as np
import pytest
from av import VideoFrame

from countermark.media.colours import Colours
from countermark.media.picture import PIXEL_FORMAT, Picture
from countermark.media.segment_encoder import (
    Coded,
    EncoderSettings,
    encode_variants,
    free_kinds,
)

LENGTH, SEGMENTS = 18, 8
COLOURS = Colours(matrix=1, primaries=1, transfer=1, range=1)
SETTINGS = EncoderSettings(320, 192, (24, 1), COLOURS, 22.0, "medium", LENGTH)
# Without a look-ahead there are no notes for the further variants to go by.
UNNOTED = EncoderSettings(320, 192, (24, 1), COLOURS, 22.0, "superfast", 0)


def _film() -> list[Picture]:
    """A slow pan over a texture, with a little noise."""
    random = np.random.default_rng(5)
    scene = random.uniform(40, 200, (24, 100)).repeat(8, axis=0).repeat(8, axis=1)
    pictures = []
    for number in range(LENGTH * SEGMENTS):
        luma = scene[:, number : number + 320] + random.normal(0, 1, (192, 320))
        grey = VideoFrame.from_ndarray(np.clip(luma, 16, 235).astype(np.uint8), "gray")
        pictures.append(Picture(grey.reformat(format=PIXEL_FORMAT), number))
    return pictures


def _keyframes(coded: list[Coded]) -> list[int]:
    return [len(one.sample) for one in coded if one.kind.letter == "I"]


@pytest.mark.parametrize("variant", [0, 1])
def test_a_part_s_keyframes_are_as_good_as_in_one_encode_of_all(
    tmp_path: Path, variant: int
) -> None:
    film = _film()
    half = len(film) // 2
    kinds = free_kinds(LENGTH) * SEGMENTS
    whole = encode_variants([film], (), SETTINGS, kinds, tmp_path / "whole", is_start=True)[0]
    part = encode_variants(
        [film[half:]] * 2,
        (),
        SETTINGS,
        kinds[: len(film) - half],
        tmp_path / "part",
        is_start=False,
    )[variant]
    wanted = _keyframes(whole)[SEGMENTS // 2 :]
    # A tenth of a quantizer step is some 1 % of a keyframe's size.
    assert _keyframes(part) == pytest.approx(wanted, rel=0.015)


@pytest.mark.parametrize("settings", [SETTINGS, UNNOTED], ids=["noted", "unnoted"])
def test_variants_of_a_part_that_are_the_same_come_out_as_large(
    tmp_path: Path, settings: EncoderSettings
) -> None:
    film = _film()[: 2 * LENGTH]
    kinds = free_kinds(LENGTH) * 2
    first, second = encode_variants([film] * 2, (), settings, kinds, tmp_path / "n", is_start=False)
    assert _keyframes(second) == pytest.approx(_keyframes(first), rel=0.015)
