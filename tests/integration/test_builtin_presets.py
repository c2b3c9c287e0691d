"""Every built-in preset makes what it says, on a small clip; `make bench` has the real clips."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from countermark.media.builtin_presets import PRESETS, BuiltinPreset
from countermark.media.encoding_settings import VideoSettings, overridden
from support.media import make_video
from support.transcoding import make, ssim, tracks

# The rungs of one ladder differ in numbers only.
SMALLEST = [
    preset
    for preset in PRESETS
    if preset.key.endswith(("h264-360p", "hevc-720p", "av1-720p", "vp9-480p"))
    or preset.key.startswith(("audio", "remux"))
]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_video(tmp_path_factory.mktemp("clip") / "a.mp4", seconds=0.5, size=(160, 90))


@pytest.mark.parametrize("preset", SMALLEST, ids=lambda preset: preset.key)
def test_a_preset_makes_what_it_says(clip: Path, preset: BuiltinPreset) -> None:
    settings = preset.settings
    if settings.video and settings.video.codec != "copy":
        fast = overridden(settings.video, VideoSettings(speed="fastest"))
        settings = replace(settings, video=fast)
    path, made = make(clip, settings)
    found = {track.kind: track.codec for track in tracks(path)}
    wanted = {"audio": _codec(settings.audio, "aac")}
    if settings.video:
        wanted["video"] = _codec(settings.video, "h264")
        assert ssim(clip, path, (160, 90)) > 0.93
    assert found == wanted
    assert made.warnings == ()


def test_a_preset_has_a_key_of_its_own_and_never_upscales() -> None:
    assert len({preset.key for preset in PRESETS}) == len(PRESETS)
    assert not any(p.settings.video and p.settings.video.upscale for p in PRESETS)
    assert all(preset.extension == preset.settings.container for preset in PRESETS)


def _codec(settings: object, copied: str) -> str:
    codec = getattr(settings, "codec", "")
    return copied if codec == "copy" else codec
