"""The built-in presets as the catalog keeps them: everybody's, and the same in every catalog."""

import hashlib

import msgspec

from countermark.catalog.job_records import PresetRecord
from countermark.media.builtin_presets import PRESETS, BuiltinPreset
from countermark.media.preset_form import form_of


def system_presets(now: int) -> list[PresetRecord]:
    """All of them, as if they had just been made."""
    return [_record(preset, now) for preset in PRESETS]


def system_preset_id(key: str) -> str:
    """The id of the preset with this key; clients may keep it."""
    return hashlib.sha256(f"preset {key}".encode()).hexdigest()[:24]


def _record(preset: BuiltinPreset, now: int) -> PresetRecord:
    target, settings = form_of(preset.settings, preset.extension)
    return PresetRecord(
        id=system_preset_id(preset.key),
        user_id=None,
        application_id=None,
        name=preset.key,
        description=f"{preset.name}. {preset.description}",
        target_format=msgspec.to_builtins(target),
        settings=msgspec.to_builtins(settings),
        created_at=now,
        updated_at=now,
    )
