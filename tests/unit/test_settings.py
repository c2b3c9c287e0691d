"""Settings: where they come from, what is refused, and that all of them are documented."""

from dataclasses import Field, fields
from pathlib import Path
from typing import Any

import pytest

from countermark.errors import SettingsError
from countermark.settings import PREFIX, Settings, environment_of, load

DOCS = Path(__file__).parents[2] / "docs" / "settings.md"


def test_everything_has_a_default_under_the_data_folder() -> None:
    settings = load({"COUNTERMARK_DATA_DIR": "/srv/hub"})
    assert settings.database_url == "sqlite:////srv/hub/catalog.sqlite"
    assert settings.storage_url == "file:///srv/hub/blobs"
    assert settings.ledger_url == "sqlite:////srv/hub/ledger.sqlite"
    assert settings.api_url == "http://127.0.0.1:8080"
    assert settings.edge_url == "http://127.0.0.1:8081"


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    config = tmp_path / "countermark.toml"
    config.write_text('api_port = 9000\nedge_port = 9001\ntrusted_proxies = ["10.0.0.0/8"]\n')
    settings = load({"COUNTERMARK_CONFIG": str(config), "COUNTERMARK_API_PORT": "9100"})
    assert (settings.api_port, settings.edge_port) == (9100, 9001)
    assert [str(network) for network in settings.trusted_proxies] == ["10.0.0.0/8"]


def test_an_empty_variable_counts_as_not_set() -> None:
    assert load({"COUNTERMARK_API_PORT": ""}).api_port == 8080


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("API_PORT", "0"),
        ("API_PORT", "65536"),
        ("EDGE_PORT", "many"),
        ("DATABASE_URL", "mysql://here"),
        ("STORAGE_URL", "ftp://there"),
        ("LEDGER_URL", "postgresql://there"),
        ("API_URL", "example.org"),
        ("EDGE_URL", "https://example.org/?a=b"),
        ("TRUSTED_PROXIES", "10.0.0.1/8"),
        ("LINK_LIFETIME", "-1"),
        ("MAX_UPLOAD_BYTES", "1e9"),
        ("LOG_LEVEL", "loud"),
        ("DATA_DIR", "a\0b"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_accepted(name: str, value: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load({PREFIX + name: value})
    text = str(caught.value)
    assert PREFIX + name in text
    assert repr(value) in text
    assert "accepted: " in text


def test_a_password_in_a_wrong_url_is_not_shown() -> None:
    with pytest.raises(SettingsError) as caught:
        load({"COUNTERMARK_DATABASE_URL": "mysql://me:hunter2@db/files"})
    assert "hunter2" not in str(caught.value)
    assert "mysql://me:***@db/files" in str(caught.value)


def test_an_unknown_setting_stops_the_start() -> None:
    with pytest.raises(SettingsError, match="COUNTERMARK_EDGE_PROT is not a setting"):
        load({"COUNTERMARK_EDGE_PROT": "1"})


def test_a_missing_file_is_named() -> None:
    with pytest.raises(SettingsError, match=r"COUNTERMARK_CONFIG is '/nowhere/at.toml'"):
        load({"COUNTERMARK_CONFIG": "/nowhere/at.toml"})


def test_a_wildcard_host_is_not_an_address_to_call() -> None:
    assert load({"COUNTERMARK_HOST": "0.0.0.0"}).edge_url == "http://127.0.0.1:8081"
    assert load({"COUNTERMARK_HOST": "::1"}).edge_url == "http://[::1]:8081"


def test_a_child_process_loads_the_same_settings() -> None:
    settings = load({"COUNTERMARK_TRUSTED_PROXIES": "10.0.0.0/8, fd00::/8"})
    assert load(environment_of(settings)) == settings


@pytest.mark.parametrize("item", fields(Settings), ids=lambda item: item.name)
def test_every_setting_is_documented(item: "Field[Any]") -> None:
    assert f"`{PREFIX}{item.name.upper()}`" in DOCS.read_text(encoding="utf-8")
