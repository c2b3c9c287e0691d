"""docs/encoding.md names every preset and every setting, and nothing else."""

import re
from pathlib import Path

from msgspec.structs import fields

from countermark.media.builtin_presets import PRESETS
from countermark.media.encoding_settings import (
    AudioSettings,
    Logo,
    ThumbnailSettings,
    VideoSettings,
)

TEXT = (Path(__file__).parents[2] / "docs" / "encoding.md").read_text()


def first_column(heading: str) -> set[str]:
    table = TEXT[TEXT.index(f"\n| {heading} |") :].split("\n\n")[0]
    cells = [line.split("|")[1] for line in table.strip().splitlines()[2:]]
    return {name for cell in cells for name in re.findall(r"`([a-z0-9_-]+)`", cell)}


def test_every_preset_is_documented() -> None:
    assert first_column("preset") == {preset.key for preset in PRESETS}


def test_every_setting_is_documented() -> None:
    for heading, settings in (
        ("`video`", VideoSettings),
        ("`audio`", AudioSettings),
        ("logo", Logo),
        ("thumbnails", ThumbnailSettings),
    ):
        assert first_column(heading) == {field.name for field in fields(settings)}
