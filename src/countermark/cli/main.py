"""The command `countermark`: gathers the commands and turns expected errors into one line."""

import sys

import click

from countermark import __doc__ as about
from countermark.cli.lazy import LazyGroup
from countermark.errors import CountermarkError

EXIT_FAILURE = 1
COMMANDS = ("serve", "worker", "app", "link", "keys", "lists", "convert", "jobs", "trace", "demo")


@click.group(
    cls=LazyGroup,
    lazy={name: f"countermark.cli.{name}:{name}" for name in COMMANDS},
    help=about,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="countermark")
def cli() -> None:
    """Root of all commands."""


def main() -> None:
    """Run the command line; exits with 0, 1 (a failure, told in one line) or 2 (wrong usage)."""
    try:
        cli()
    except CountermarkError as error:
        click.echo(f"countermark: {error}", err=True)
        sys.exit(EXIT_FAILURE)
