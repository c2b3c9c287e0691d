"""A whole service as on several machines: on PostgreSQL, S3 and Valkey."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.databases import PostgreSql
from support.seaweed import ACCESS_KEY, BUCKET, SECRET_KEY, seaweed
from support.service import Service, running
from support.valkey import valkey


@contextlib.contextmanager
def running_at_scale(folder: Path, postgresql: PostgreSql) -> Iterator[Service]:
    """A service with two edges for the time of a block."""
    for name in ("service", "s3", "valkey"):
        (folder / name).mkdir()
    with (
        pytest.MonkeyPatch.context() as patch,
        seaweed(folder / "s3") as endpoint,
        valkey(folder / "valkey") as ledger,
    ):
        patch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
        patch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
        with running(
            folder / "service",
            edges=2,
            database_url=postgresql.url(postgresql.create()),
            storage_url=f"s3://{BUCKET}/hub?endpoint={endpoint}&region=us-east-1",
            ledger_url=f"{ledger}0",
        ) as service:
            yield service
