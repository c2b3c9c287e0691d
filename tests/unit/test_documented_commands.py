"""Every command and option of the command line stands in docs/operations.md."""

from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from countermark.cli.main import cli

DOCS = (Path(__file__).parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")


def _commands(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        if command.invoke_without_command:
            yield path, command
        context = click.Context(command)
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            assert child is not None
            yield from _commands(child, f"{path} {name}")
    else:
        yield path, command


COMMANDS = dict(_commands(cli, "countermark"))


@pytest.mark.parametrize("path", COMMANDS)
def test_a_command_is_documented_with_its_options(path: str) -> None:
    rows = [line for line in DOCS.splitlines() if line.startswith(f"| `{path}")]
    assert rows, f"docs/operations.md has no row for {path}"
    for parameter in COMMANDS[path].params:
        if isinstance(parameter, click.Option) and not parameter.hidden:
            assert any(parameter.opts[0] in row for row in rows), parameter.opts


@pytest.mark.parametrize("path", COMMANDS)
def test_a_command_says_what_it_does(path: str) -> None:
    assert COMMANDS[path].help
