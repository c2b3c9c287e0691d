"""Thumbnails and logos as jobs ask for them: by the name of a preset, by settings, or both."""

import re
from typing import Annotated

from msgspec import Meta, Struct

from countermark.media.encoding_settings import Logo, ThumbnailSettings, overridden

THUMBNAIL_PRESETS: dict[str, ThumbnailSettings] = {
    "thumbnails_small": ThumbnailSettings(width=160),
    "thumbnails_medium": ThumbnailSettings(width=320),
    "thumbnails_large": ThumbnailSettings(width=640),
    "sprite": ThumbnailSettings(number=100, width=160, images=False, sprite=True),
    "poster": ThumbnailSettings(number=1, images=False, poster=True),
}
_LOGO_PRESET = re.compile(r"logo_([1-9][0-9]?)_(top|bottom)_(left|right)\Z")
_MARGIN = "2%"

PresetName = Annotated[str, Meta(max_length=64, pattern=r"^[a-z0-9_]+$")]


class UnknownPictureError(Exception):
    """Thumbnails or a logo cannot be as they are asked for; the text says why."""


class ThumbnailForm(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Thumbnails of an output.

    Attributes:
        thumbnail_names: Of the single images, without number and extension; {resolution} is
            replaced.
        thumbnail_preset: One of `THUMBNAIL_PRESETS`.
        settings: What is to be otherwise.
    """

    thumbnail_names: Annotated[str, Meta(min_length=1, max_length=100)] = "thumb_{resolution}"
    thumbnail_preset: PresetName = "thumbnails_medium"
    settings: ThumbnailSettings | None = None


class LogoForm(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A logo on an output.

    Attributes:
        logo_image: Its picture: object key of a file of the pipeline, or a URI.
        logo_preset: `logo_30_bottom_right` is 30 percent of the picture's width, in that corner.
        settings: What is to be otherwise.
    """

    logo_image: Annotated[str, Meta(min_length=1, max_length=4096)]
    logo_preset: PresetName = "logo_10_top_right"
    settings: Logo | None = None


def thumbnail_settings(form: ThumbnailForm) -> ThumbnailSettings:
    """What thumbnails are asked for.

    Raises:
        UnknownPictureError: there is no such preset.
    """
    preset = THUMBNAIL_PRESETS.get(form.thumbnail_preset)
    if preset is None:
        accepted = ", ".join(THUMBNAIL_PRESETS)
        raise UnknownPictureError(
            f"thumbnail_preset: {form.thumbnail_preset!r} is unknown; accepted: {accepted}"
        )
    return overridden(preset, form.settings)


def logo_settings(form: LogoForm) -> Logo:
    """How a logo is asked for.

    Raises:
        UnknownPictureError: there is no such preset.
    """
    match = _LOGO_PRESET.match(form.logo_preset)
    if match is None:
        raise UnknownPictureError(
            f"logo_preset: {form.logo_preset!r} is unknown; accepted: logo_PERCENT_CORNER, "
            "such as logo_30_bottom_right"
        )
    percent, vertical, horizontal = match.groups()
    corner = f"{vertical}-{horizontal}"
    preset = Logo(corner=corner, x=_MARGIN, y=_MARGIN, width=f"{percent}%")  # type: ignore[arg-type]  # one of the four
    return overridden(preset, form.settings)
