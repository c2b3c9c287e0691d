"""`countermark trace`: whose copy was a leak made from?"""

from pathlib import Path
from tempfile import TemporaryDirectory

import click
import msgspec
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from countermark.autograph.report import TraceDocument
from countermark.autograph.report_charts import clock
from countermark.autograph.report_page import render
from countermark.bootstrap.work import work_parts
from countermark.catalog.database import Database
from countermark.catalog.readers import autograph as read_autograph
from countermark.catalog.records import FileRecord
from countermark.cli.opened import open_settings
from countermark.errors import CountermarkError, PublicError
from countermark.work.backtracing import trace_leak
from countermark.work.parts import now_ms

console = Console(stderr=True, highlight=False)


@click.command()
@click.argument("leak", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--master", metavar="ID", help="look only at this master; default: at all")
@click.option("--json", "json_path", metavar="PATH", help="write the report as JSON; - prints it")
@click.option(
    "--html", type=click.Path(dir_okay=False, path_type=Path), help="write the report as a page"
)
def trace(leak: Path, master: str | None, json_path: str | None, html: Path | None) -> None:
    """Name the recipient whose copy a leak was made from, if it can be told beyond chance."""
    current = open_settings()
    parts = work_parts(current, "trace")
    try:
        masters = _masters(parts.database, master)
        parts.spool.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=parts.spool) as folder, _progress() as progress:
            task = progress.add_task("", total=1.0)
            document = trace_leak(
                parts,
                leak.absolute(),
                leak.name,
                masters,
                Path(folder),
                lambda part: progress.update(task, completed=part),
            )
            progress.update(task, completed=1.0)
    except PublicError as error:
        raise CountermarkError(f"{error.message}. {error.detail or ''}".rstrip()) from error
    finally:
        parts.sandbox.close()
    _tell(document)
    _write(document, json_path, html)


def _masters(database: Database, wanted: str | None) -> list[FileRecord]:
    with database.read() as connection:
        found = read_autograph.masters(connection, None, now_ms())
    if wanted is not None:
        found = [master for master in found if master.id == wanted]
        if not found:
            raise CountermarkError(f"no AutoGraph master has the id {wanted}")
    if not found:
        raise CountermarkError("there is no AutoGraph master yet; a job with autograph makes one")
    return found


def _progress() -> Progress:
    columns = (TextColumn("tracing"), BarColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True)


def _tell(document: TraceDocument) -> None:
    report = document.report
    for one in report.accused:
        console.print(
            f"[bold]{escape(one.tag)}[/]  a chance of {one.probability:.1e} that anybody innocent"
            f" is accused; {one.share:.0%} of the evidence"
        )
    if report.together:
        console.print("The evidence points to several recipients acting together.")
    if not report.accused:
        console.print(f"[bold]Insufficient evidence.[/] {escape(report.reason or '')}")
    if document.master_name is not None:
        console.print(
            f"master {escape(document.master_name)} ({report.master}), {report.tags:,} issued tags,"
            f" {len(report.segments):,} segments in {clock(report.seconds_read)} of the leak,"
            f" {report.work_seconds:.1f} s"
        )


def _write(document: TraceDocument, json_path: str | None, html: Path | None) -> None:
    try:
        if json_path is not None:
            data = msgspec.json.format(msgspec.json.encode(document))
            if json_path == "-":
                click.echo(data)
            else:
                Path(json_path).write_bytes(data)
                console.print(f"report as JSON: {json_path}")
        if html is not None:
            html.write_text(render(document), encoding="utf-8")
            console.print(f"report as a page: {html}")
    except OSError as error:
        raise CountermarkError(f"the report cannot be written: {error}") from error
