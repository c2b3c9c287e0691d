"""Users and applications: the caller's own."""

from typing import Annotated, Any

from msgspec import Meta, Struct
from sqlalchemy import Connection

from countermark.api import scopes
from countermark.api.operation import Call, Operation
from countermark.api.parameters import NO_NUL, Direction, Expansion, Paging, sorting_by
from countermark.api.presenting import page_answer, page_of, presenter
from countermark.api.resources import (
    ApplicationAnswer,
    ApplicationsAnswer,
    UserAnswer,
    UsersAnswer,
)
from countermark.catalog.readers import accounts
from countermark.catalog.records import UserRecord
from countermark.catalog.writers import accounts as write_accounts
from countermark.errors import (
    ApplicationNotFoundError,
    InvalidRequestError,
    UserNotFoundError,
)

Name = Annotated[str, Meta(min_length=1, max_length=255, pattern=NO_NUL)]


class Renaming(Struct, frozen=True, kw_only=True):
    """A new name."""

    name: Name


class UserChangeBody(Struct, frozen=True):
    """The body that changes a user."""

    user: Renaming


class ApplicationChangeBody(Struct, frozen=True):
    """The body that changes an application."""

    application: Renaming


class ManyUsers(Paging, frozen=True, kw_only=True):
    """GET /users/."""

    sort: Annotated[str, sorting_by(accounts.user_sort_keys())] = "id"
    direction: Direction = "1"


class ManyApplications(Paging, frozen=True, kw_only=True):
    """GET /applications/."""

    sort: Annotated[str, sorting_by(accounts.application_sort_keys())] = "id"
    direction: Direction = "1"


async def list_users(call: Call[ManyUsers]) -> UsersAnswer:
    """List users: the one that the token acts for."""
    page = page_of(call, accounts.user_sort_keys())

    def read(connection: Connection) -> UsersAnswer:
        record = accounts.user(connection, call.caller.user_id)
        records = [record] if record and page.start == 0 else []
        present = presenter(connection, call, records)
        shown = [present.user(one) for one in records]
        return page_answer(UsersAnswer, call, "users", shown, 1)

    return await call.services.catalog.read(read)


async def show_user(call: Call[Expansion]) -> UserAnswer:
    """Show the user that the token acts for."""
    user_id = _own(call)
    return await call.services.catalog.read(
        lambda connection: _user(connection, call, accounts.user(connection, user_id))
    )


async def change_user(call: Call[Expansion]) -> UserAnswer:
    """Rename the user that the token acts for; the name must be free."""
    user_id = _own(call)
    name = (await call.json_body(UserChangeBody)).user.name

    def write(connection: Connection) -> UserAnswer:
        renamed = write_accounts.rename_user(connection, user_id, name, call.now)
        return _user(connection, call, renamed)

    return await call.services.catalog.write(write)


async def list_applications(call: Call[ManyApplications]) -> ApplicationsAnswer:
    """List the user's applications that have access, without their secrets."""
    page = page_of(call, accounts.application_sort_keys())

    def read(connection: Connection) -> ApplicationsAnswer:
        records, total = accounts.applications_of(connection, call.caller.user_id, page)
        present = presenter(connection, call, records)
        shown = [present.application(record) for record in records]
        return page_answer(ApplicationsAnswer, call, "applications", shown, total)

    return await call.services.catalog.read(read)


async def show_application(call: Call[Expansion]) -> ApplicationAnswer:
    """Show one of the user's applications; never its secret."""
    application_id = call.resource_id
    return await call.services.catalog.read(
        lambda connection: _application(connection, call, application_id)
    )


async def change_application(call: Call[Expansion]) -> ApplicationAnswer:
    """Rename one of the user's applications."""
    application_id = call.resource_id
    name = (await call.json_body(ApplicationChangeBody)).application.name

    def write(connection: Connection) -> ApplicationAnswer:
        _application(connection, call, application_id)
        write_accounts.rename_application(connection, application_id, name, call.now)
        return _application(connection, call, application_id)

    return await call.services.catalog.write(write)


def _own(call: Call[Any]) -> str:
    if call.resource_id != call.caller.user_id:
        raise UserNotFoundError
    return call.resource_id


def _user(connection: Connection, call: Call[Any], record: UserRecord | None) -> UserAnswer:
    if record is None:
        raise UserNotFoundError
    return UserAnswer(presenter(connection, call, [record]).user(record))


def _application(connection: Connection, call: Call[Any], application_id: str) -> ApplicationAnswer:
    record = accounts.application(connection, application_id)
    if record is None or record.user_id != call.caller.user_id:
        raise ApplicationNotFoundError
    return ApplicationAnswer(presenter(connection, call, [record]).application(record))


_ONE_USER: dict[str, Any] = {
    "path": "/v1/users/{id:str}",
    "query": Expansion,
    "answer": UserAnswer,
    "invalid": InvalidRequestError,
    "missing": UserNotFoundError,
}
_ONE_APPLICATION: dict[str, Any] = {
    "path": "/v1/applications/{id:str}",
    "query": Expansion,
    "answer": ApplicationAnswer,
    "invalid": InvalidRequestError,
    "missing": ApplicationNotFoundError,
}
OPERATIONS: tuple[Operation[Any], ...] = (
    Operation(
        method="GET",
        path="/v1/users/",
        handler=list_users,
        query=ManyUsers,
        answer=UsersAnswer,
        scopes=scopes.ME,
    ),
    Operation(method="GET", handler=show_user, scopes=scopes.ME, **_ONE_USER),
    Operation(
        method="PUT",
        handler=change_user,
        body=UserChangeBody,
        scopes=scopes.CHANGE_ME,
        **_ONE_USER,
    ),
    Operation(
        method="GET",
        path="/v1/applications/",
        handler=list_applications,
        query=ManyApplications,
        answer=ApplicationsAnswer,
        scopes=scopes.ME,
    ),
    Operation(method="GET", handler=show_application, scopes=scopes.ME, **_ONE_APPLICATION),
    Operation(
        method="PUT",
        handler=change_application,
        body=ApplicationChangeBody,
        scopes=scopes.CHANGE_ME,
        **_ONE_APPLICATION,
    ),
)
