"""Fixtures of tests with real servers."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.valkey import valkey


@pytest.fixture(params=["sqlite", "valkey"])
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'ledger.sqlite'}"
        return
    (tmp_path / "valkey").mkdir()
    with valkey(tmp_path / "valkey") as url:
        yield f"{url}0"
