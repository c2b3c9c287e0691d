"""Users, applications and jobs: shown so that every href resolves."""

from typing import Any

from sqlalchemy import Connection

from countermark.api import scopes
from countermark.api.operation import Call, Operation
from countermark.api.parameters import Expansion
from countermark.api.references import Record, look_up, wish
from countermark.api.representation import Presenter
from countermark.api.resources import ApplicationAnswer, JobAnswer, UserAnswer
from countermark.catalog.readers import accounts, jobs
from countermark.errors import (
    ApplicationNotFoundError,
    InvalidRequestError,
    JobNotFoundError,
    UserNotFoundError,
)


async def show_user(call: Call[Expansion]) -> UserAnswer:
    """Show the user that the token acts for."""
    user_id = call.resource_id
    if user_id != call.caller.user_id:
        raise UserNotFoundError

    def read(connection: Connection) -> UserAnswer:
        record = accounts.user(connection, user_id)
        if record is None:
            raise UserNotFoundError
        return UserAnswer(_presenter(connection, call, record).user(record))

    return await call.services.catalog.read(read)


async def show_application(call: Call[Expansion]) -> ApplicationAnswer:
    """Show one of the user's applications; never its secret."""
    application_id = call.resource_id

    def read(connection: Connection) -> ApplicationAnswer:
        record = accounts.application(connection, application_id)
        if record is None or record.user_id != call.caller.user_id:
            raise ApplicationNotFoundError
        return ApplicationAnswer(_presenter(connection, call, record).application(record))

    return await call.services.catalog.read(read)


async def show_job(call: Call[Expansion]) -> JobAnswer:
    """Show a job."""
    job_id = call.resource_id

    def read(connection: Connection) -> JobAnswer:
        record = jobs.job(connection, call.caller.user_id, job_id)
        if record is None:
            raise JobNotFoundError
        return JobAnswer(_presenter(connection, call, record).job(record))

    return await call.services.catalog.read(read)


def _presenter(connection: Connection, call: Call[Expansion], record: Record) -> Presenter:
    query = call.query
    wanted = wish(query.expand, everything=query.expand_all)
    found = look_up(connection, call.caller.user_id, [record], wanted, call.now)
    return Presenter(call.services.urls, show_null=query.show_null, wanted=wanted, found=found)


OPERATIONS: tuple[Operation[Any], ...] = (
    Operation(
        method="GET",
        path="/v1/users/{id:str}",
        handler=show_user,
        query=Expansion,
        answer=UserAnswer,
        scopes=scopes.ME,
        invalid=InvalidRequestError,
        missing=UserNotFoundError,
    ),
    Operation(
        method="GET",
        path="/v1/applications/{id:str}",
        handler=show_application,
        query=Expansion,
        answer=ApplicationAnswer,
        scopes=scopes.ME,
        invalid=InvalidRequestError,
        missing=ApplicationNotFoundError,
    ),
    Operation(
        method="GET",
        path="/v1/jobs/{id:str}",
        handler=show_job,
        query=Expansion,
        answer=JobAnswer,
        scopes=scopes.READ_PIPELINES,
        invalid=InvalidRequestError,
        missing=JobNotFoundError,
    ),
)
