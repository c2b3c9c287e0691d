"""The Files resource: list, show, delete."""

from typing import Any

from sqlalchemy import Connection

from countermark.api import scopes
from countermark.api.answers import Answer, empty
from countermark.api.operation import Call, Operation
from countermark.api.parameters import ManyFiles, OneFile, Presentation
from countermark.api.presenting import page_answer, presenter
from countermark.api.representation import Presenter
from countermark.api.resources import FileAnswer, FilesAnswer
from countermark.catalog.readers import files, listing
from countermark.catalog.readers.listing import FileQuery
from countermark.catalog.records import FileRecord
from countermark.catalog.writers import files as write_files
from countermark.errors import FileNotFoundPublicError, InvalidFileInputError

_ALL_TYPES = frozenset({"file", "folder", "archive"})


async def list_files(call: Call[ManyFiles]) -> FilesAnswer:
    """List files.

    Folders and archives are listed, too, unless `type` says otherwise.
    """
    query = call.query
    if query.sort not in listing.sort_keys():
        raise InvalidFileInputError(f"sort: {query.sort!r} is not a key of the Files resource")
    return await call.services.catalog.read(lambda connection: _page(connection, call))


async def show_file(call: Call[OneFile]) -> FileAnswer:
    """Show a file, folder or archive."""
    file_id, query = call.resource_id, call.query

    def read(connection: Connection) -> FileAnswer:
        record = files.file(connection, call.caller.user_id, file_id, call.now)
        if record is None:
            raise FileNotFoundPublicError
        return FileAnswer(_presenter(connection, call, [record]).file(record))

    catalog = call.services.catalog
    expands = query.expand_all or query.expand
    return await (catalog.read(read) if expands else catalog.read_point(read))


async def delete_file(call: Call[Presentation]) -> Answer:
    """Delete a file or archive, or an empty folder.

    Its download links end at once. A pipeline's root folder stays.
    """
    file_id = call.resource_id

    def write(connection: Connection) -> bool:
        return write_files.delete(connection, call.caller.user_id, file_id, call.now)

    if not await call.services.catalog.write(write):
        raise FileNotFoundPublicError
    return empty(204)


def _page(connection: Connection, call: Call[ManyFiles]) -> FilesAnswer:
    query = call.query
    asked = FileQuery(
        user_id=call.caller.user_id,
        types=frozenset(query.type) or _ALL_TYPES,
        pipeline_id=query.pipeline_id,
        job_id=query.job_id,
        sort=query.sort,
        direction=1 if query.direction == "1" else -1,
        start=query.start,
        limit=query.limit,
    )
    page = listing.page(connection, asked, call.now)
    present = _presenter(connection, call, page.files)
    shown = [present.file(record) for record in page.files]
    return page_answer(FilesAnswer, call, "files", shown, page.total)


def _presenter(connection: Connection, call: Call[Any], records: list[FileRecord]) -> Presenter:
    query: OneFile | ManyFiles = call.query
    ids = [record.id for record in records]
    thumbnails = files.thumbnails(connection, ids) if query.bin_data else None
    return presenter(connection, call, records, thumbnails)


LIST = Operation(
    method="GET",
    path="/v1/files/",
    handler=list_files,
    query=ManyFiles,
    answer=FilesAnswer,
    scopes=scopes.READ,
    invalid=InvalidFileInputError,
    large=True,
)
SHOW = Operation(
    method="GET",
    path="/v1/files/{id:str}",
    handler=show_file,
    query=OneFile,
    answer=FileAnswer,
    scopes=scopes.READ,
    invalid=InvalidFileInputError,
    missing=FileNotFoundPublicError,
)
DELETE = Operation(
    method="DELETE",
    path="/v1/files/{id:str}",
    handler=delete_file,
    query=Presentation,
    status=204,
    scopes=scopes.WRITE,
    invalid=InvalidFileInputError,
    missing=FileNotFoundPublicError,
)
OPERATIONS: tuple[Operation[Any], ...] = (LIST, SHOW, DELETE)
