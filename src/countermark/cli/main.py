"""The command `countermark`: gathers the commands and turns expected errors into one line."""

import sys

import click

from countermark import __doc__ as about
from countermark.cli.app import app
from countermark.cli.demo import demo
from countermark.cli.keys import keys
from countermark.cli.link import link
from countermark.cli.lists import lists
from countermark.cli.serve import serve
from countermark.cli.worker import worker
from countermark.errors import CountermarkError

EXIT_FAILURE = 1


@click.group(help=about, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="countermark")
def cli() -> None:
    """Root of all commands."""


for command in (serve, worker, app, link, keys, lists, demo):
    cli.add_command(command)


def main() -> None:
    """Run the command line; exits with 0, 1 (a failure, told in one line) or 2 (wrong usage)."""
    try:
        cli()
    except CountermarkError as error:
        click.echo(f"countermark: {error}", err=True)
        sys.exit(EXIT_FAILURE)
