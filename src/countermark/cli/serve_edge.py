"""`countermark serve edge`: one edge process."""

import asyncio

import click

from countermark.bootstrap.edge import edge_parts
from countermark.cli.started import started
from countermark.edge.limits import Limits
from countermark.edge.serve import serve


@click.command()
@click.option("--with-parent", is_flag=True, hidden=True)
def edge(with_parent: bool) -> None:
    """Run only an edge; any number of them share the port."""
    current = started(with_parent=with_parent)
    limits = Limits(idle_seconds=current.idle_seconds, max_connections=current.max_connections)
    asyncio.run(serve(edge_parts(current), current.host, current.edge_port, limits=limits))
