"""Programs that we didn't write: found on PATH, or the test skips with the reason."""

import shutil

import pytest


def program(name: str, package: str | None = None) -> str:
    """The path of a program; skips the test when this machine lacks it."""
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"needs the program {name} (Debian package {package or name})")
    return path
