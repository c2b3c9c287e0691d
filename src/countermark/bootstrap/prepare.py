"""Makes a data folder and its databases ready."""

from dataclasses import dataclass

from dbos import DBOS
from sqlalchemy import Connection

from countermark.api import scopes
from countermark.bootstrap.workflows import workflows_url
from countermark.catalog.database import Database, migrate
from countermark.catalog.readers import accounts as read_accounts
from countermark.catalog.records import ApplicationRecord, PipelineRecord, UserRecord
from countermark.catalog.writers import accounts as write_accounts
from countermark.catalog.writers import autograph as write_autograph
from countermark.catalog.writers import keys as write_keys
from countermark.catalog.writers import pipelines as write_pipelines
from countermark.catalog.writers import presets as write_presets
from countermark.settings import Settings
from countermark.work.parts import now_ms
from countermark.work.system_presets import system_presets


@dataclass(frozen=True)
class NewAccount:
    """An application just made, with the pipeline that is ready for its files."""

    user: UserRecord
    application: ApplicationRecord
    pipeline: PipelineRecord


def prepare(settings: Settings) -> NewAccount | None:
    """Make the data folder and the databases ready; safe from several processes at once.

    Returns:
        The first account if this call made it, else None.
    """
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    database = Database(settings.database_url)
    try:
        migrate(database)
        DBOS.migrate(workflows_url(settings))
        with database.write() as connection:
            # Its lock holds to the end of the transaction, so only one process makes the owner.
            write_keys.ensure_link_key(connection, now_ms())
            write_autograph.ensure_key(connection, now_ms())
            write_presets.keep_built_in(connection, system_presets(now_ms()))
            if read_accounts.first_user(connection):
                return None
            user = write_accounts.create_user(connection, "owner", now_ms())
            return create_application(connection, user, "first", scopes.ALL)
    finally:
        database.close()


def create_application(
    connection: Connection, user: UserRecord, name: str, granted: tuple[str, ...]
) -> NewAccount:
    """Make an application with a default pipeline."""
    now = now_ms()
    application = write_accounts.create_application(connection, user.id, name, granted, now)
    pipeline = write_pipelines.create_pipeline(
        connection, user_id=user.id, application_id=application.id, name=name, now=now
    )
    return NewAccount(user, application, pipeline)
