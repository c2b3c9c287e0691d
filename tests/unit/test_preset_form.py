"""Presets as clients write them, and what an encoder is to do."""

from typing import Any

import pytest
from msgspec import convert, structs, to_builtins

from countermark.media.builtin_presets import PRESETS, BuiltinPreset
from countermark.media.picture_size import Size
from countermark.media.preset_form import (
    FormSettings,
    PresetFormError,
    TargetFormat,
    form_of,
    want,
    within_caps,
)
from countermark.work.system_presets import system_presets

HD = Size(1920, 1080)
H264 = {"id": "00000000000000c0dec00001"}
AAC = {"id": "00000000000000c0dec00011"}


def _format(**caps: Any) -> TargetFormat:
    video = {"codec": H264, "caps": caps}
    return convert({"container": "mp4", "vcodec": video, "acodec": {"codec": AAC}}, TargetFormat)


def _settings(**given: Any) -> FormSettings:
    return convert(given, FormSettings)


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.key)
def test_a_built_in_preset_reads_back_as_it_was(preset: BuiltinPreset) -> None:
    target, settings = form_of(preset.settings, preset.extension)
    target = convert(to_builtins(target), TargetFormat)
    wanted = want(target, convert(to_builtins(settings), FormSettings))
    assert wanted.extension == preset.extension
    assert within_caps(wanted, HD, 5000, 128) == preset.settings


def test_built_in_presets_have_ids_and_names_of_their_own() -> None:
    presets = system_presets(1)
    assert len({preset.id for preset in presets}) == len(presets) == len(PRESETS)
    assert len({preset.name for preset in presets}) == len(presets)


def test_percentages_are_of_the_input() -> None:
    wanted = want(_format(), _settings(video={"width": "50%", "height": "50%", "bitrate": "90%"}))
    video = within_caps(wanted, HD, 5000, None).video
    assert video
    assert (video.width, video.height, video.bitrate) == (960, 540, 4500)


@pytest.mark.parametrize("asked", [{"width": "100%"}, {"width": 1920}, {}])
def test_caps_hold_whatever_a_job_asks_for(asked: dict[str, Any]) -> None:
    wanted = want(_format(max_width=640, max_bitrate=800), FormSettings(), _settings(video=asked))
    video = within_caps(wanted, HD, 5000, None).video
    assert video
    assert (video.width, video.bitrate) == (640, 800)


def test_the_last_word_is_the_jobs() -> None:
    preset = _settings(video={"quality": 20, "speed": "slow"}, audio={"bitrate": 96})
    wanted = want(_format(max_key_distance=5), preset, _settings(video={"quality": 30}))
    assert wanted.settings.video == structs.replace(
        preset.video,  # type: ignore[type-var]  # it is there
        codec="h264",
        quality=30,
        keyframe_interval=5000,
    )


@pytest.mark.parametrize(
    ("target", "settings", "names"),
    [
        ({"container": "mp4"}, {}, "vcodec, acodec"),
        ({"container": "mp4", "vcodec": {"codec": AAC}}, {}, "vcodec.codec"),
        ({"container": "mp4", "vcodec": {"codec": {"id": "0" * 24}}}, {}, "vcodec.codec"),
        ({"container": "mp4", "vcodec": {"codec": H264, "profile": "lc"}}, {}, "profile"),
        ({"container": "m4a", "acodec": {"codec": AAC}}, {"video": {"width": 640}}, "video"),
        ({"container": "mp4", "vcodec": {"codec": H264}}, {"video": {"codec": "av1"}}, "codec"),
    ],
)
def test_what_contradicts_itself_is_refused_by_name(
    target: dict[str, Any], settings: dict[str, Any], names: str
) -> None:
    with pytest.raises(PresetFormError, match=names):
        want(convert(target, TargetFormat), _settings(**settings))
