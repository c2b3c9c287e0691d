"""Workers as processes of their own, without a service around them, to be killed."""

import os
import random
import resource
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa

from countermark import settings
from countermark.bootstrap.prepare import prepare
from countermark.catalog.database import Database
from countermark.catalog.job_records import JobRecord, NewJob
from countermark.catalog.job_tables import job_blobs
from countermark.catalog.readers import jobs as read_jobs
from countermark.catalog.readers import presets as read_presets
from countermark.catalog.tables import files, sidecars, trash
from countermark.catalog.writers import jobs as write_jobs
from countermark.ids import is_id, new_id
from countermark.media.preset_form import FormSettings, TargetFormat, want
from countermark.storage.layout import file_key
from countermark.storage.local import LocalStore
from countermark.work.parts import now_ms
from support.catalog import Owner, make_owner
from support.service import until


class WorkerFarm:
    """A catalog and a store, and any number of workers on them.

    Args:
        folder: Where everything is.
        database_url: A database of its own; SQLite in the folder by default.
    """

    def __init__(self, folder: Path, database_url: str = "", **given: str) -> None:
        self.folder = folder
        blobs = folder / "blobs"
        self._environ = {
            "COUNTERMARK_DATABASE_URL": database_url or f"sqlite:///{folder / 'catalog.sqlite'}",
            "COUNTERMARK_STORAGE_URL": blobs.as_uri(),
            "COUNTERMARK_LEDGER_URL": f"sqlite:///{folder / 'ledger.sqlite'}",
            **{f"COUNTERMARK_{name.upper()}": value for name, value in given.items()},
        }
        prepare(settings.load(self.environ("machine-0")))
        self.database = Database(self._environ["COUNTERMARK_DATABASE_URL"])
        self.store = LocalStore(blobs)
        self.log = folder / "workers.log"
        self._workers: list[subprocess.Popen[bytes]] = []
        self._ended: set[tuple[str, int]] = set()  # executions that were killed
        with self.database.write() as connection:
            self.owner: Owner = make_owner(connection, "films")

    def environ(self, machine: str) -> dict[str, str]:
        """The settings of a worker on this machine, which is a data folder."""
        return self._environ | {"COUNTERMARK_DATA_DIR": str(self.folder / machine)}

    def start(
        self, machine: str = "machine-0", file_bytes: int | None = None
    ) -> "subprocess.Popen[bytes]":
        """Start a worker; one that can't write longer files than so, as on a full disk."""

        def bound() -> None:
            if file_bytes:
                hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
                resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, hard))

        environ = {k: v for k, v in os.environ.items() if not k.startswith("COUNTERMARK_")}
        with self.log.open("ab") as log:
            worker = subprocess.Popen(
                [sys.executable, "-m", "countermark", "worker"],
                env=environ | self.environ(machine),
                stdout=log,
                stderr=log,
                preexec_fn=bound,  # noqa: PLW1509 - no thread of ours runs then
            )
        self._workers.append(worker)
        return worker

    def kill_one(self, chance: random.Random, seconds: float, machine: str = "machine-0") -> bool:
        """SIGKILL a worker in the middle of a job and start another one in its place.

        Args:
            chance: Chooses which one, and when.
            seconds: How long at most to wait before.
            machine: Where the new one runs.

        Returns:
            Whether one was killed: at that moment none may have been at work.
        """
        threading.Event().wait(chance.uniform(0.0, seconds))
        busy = self._busy()
        if not busy:
            return False
        victim = chance.choice(busy)
        name = _name_of(victim.pid)
        victim.kill()
        victim.wait()
        self._ended |= {(job.id, job.runs) for job in self._running() if job.worker == name}
        self.start(machine)
        return True

    def _busy(self) -> "list[subprocess.Popen[bytes]]":
        """The living workers that have begun with a job, by themselves or after another's death."""
        names = {job.worker for job in self._running() if (job.id, job.runs) not in self._ended}
        living = [worker for worker in self._workers if worker.poll() is None]
        return [worker for worker in living if _name_of(worker.pid) in names]

    def _running(self) -> list[JobRecord]:
        """Jobs that a worker has begun with, and that have not ended."""
        with self.database.read() as connection:
            return [job for job in read_jobs.running(connection) if job.runs]

    def stop(self) -> None:
        """Stop all workers."""
        for worker in self._workers:
            worker.send_signal(signal.SIGTERM)
        for worker in self._workers:
            worker.wait(60)

    def put_file(self, path: Path, object_key: str) -> str:
        """Put a film into the store and the catalog."""
        file_id = new_id()
        key = file_key(file_id)
        target = self.store.path(key)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
        with self.database.write() as connection:
            size = target.stat().st_size
            self.owner.add(
                connection, object_key, id=file_id, blob_key=key, size=size, now=now_ms()
            )
        return file_id

    def ask(self, file_id: str, presets: list[str], **values: Any) -> JobRecord:
        """Queue a job with an output for each preset."""
        job_id = new_id()
        with self.database.write() as connection:
            outputs = [self._output(connection, job_id, name) for name in presets]
            new = NewJob(
                id=job_id,
                user_id=self.owner.user.id,
                application_id=self.owner.application.id,
                pipeline_id=self.owner.pipeline.id,
                priority=0,
                input={"input_name": "film.mp4"},
                input_file_id=file_id,
                input_file_name="film.mp4",
                autograph=values.pop("autograph", None),
                user_data=None,
                output_prefix=job_id,
                outputs=[output | values for output in outputs],
            )
            return write_jobs.create_job(connection, new, now_ms())

    def _output(self, connection: sa.Connection, job_id: str, name: str) -> dict[str, Any]:
        preset = read_presets.preset_named(connection, "", name)
        assert preset is not None, name
        wanted = want(
            msgspec.convert(preset.target_format, TargetFormat),
            msgspec.convert(preset.settings, FormSettings),
        )
        return {
            "preset": {"id": preset.id},
            "output_name": name,
            "object_key": f"{job_id}/{name}.{wanted.extension}",
            "wanted": msgspec.to_builtins(wanted),
        }

    def job(self, job_id: str) -> JobRecord:
        """The job as it is now."""
        with self.database.read() as connection:
            found = read_jobs.job_to_run(connection, job_id)
        assert found is not None
        return found

    def statuses(self) -> Counter[str]:
        """How many jobs are in which state."""
        with self.database.read() as connection:
            counted = "SELECT status, count(*) AS jobs FROM jobs GROUP BY status"
            rows = connection.execute(sa.text(counted))
            return Counter({row.status: row.jobs for row in rows})

    def ended(self, count: int) -> bool:
        """Whether so many jobs have ended."""
        found = self.statuses()
        return found["SUCCESS"] + found["FAILURE"] == count

    def wait_for_end(self, count: int, seconds: float) -> None:
        """Wait until so many jobs have ended."""
        until(lambda: self.ended(count), seconds, f"{count} jobs to end")

    def litter(self) -> dict[str, list[str]]:
        """What catalog and disk have that the other side knows nothing of, once it is swept."""
        root = self.store.path("x").parent
        on_disk = {
            str(path.relative_to(root))
            for path in root.rglob("*")
            if path.is_file() and ".partial" not in path.parts
        }
        with self.database.read() as connection:
            named = set(
                connection.scalars(sa.select(files.c.blob_key).where(files.c.blob_key != ""))
            )
            named |= set(connection.scalars(sa.select(sidecars.c.blob_key)))
            doomed = list(connection.scalars(sa.select(trash.c.blob_key)))
            intended = list(connection.scalars(sa.select(job_blobs.c.blob_key)))
        spools = [str(path) for path in self.folder.glob("machine-*/spool/jobs/*")]
        return {
            "nameless": sorted(on_disk - named),
            "missing": sorted(named - on_disk),
            "doomed": doomed,
            "intended": intended,
            "workspaces": spools,
        }

    def show_log(self) -> str:
        """The end of what the workers said."""
        return self.log.read_text()[-12_000:] if self.log.exists() else ""


def _name_of(pid: int) -> str | None:
    """The name that a worker holds by the lock on its file (Linux)."""
    with suppress(OSError):
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):
                target = descriptor.readlink()
                if target.parent.name == "workers" and is_id(target.name):
                    return target.name
    return None


@contextmanager
def farm(folder: Path, database_url: str = "", **given: str) -> Iterator[WorkerFarm]:
    """A farm for the time of a block; the workers' log is shown when the block fails."""
    made = WorkerFarm(folder, database_url, **given)
    try:
        yield made
    except BaseException:
        print(made.show_log())  # noqa: T201 - pytest shows it with the failure
        raise
    finally:
        made.stop()
        made.database.close()
