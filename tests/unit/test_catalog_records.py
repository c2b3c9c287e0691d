"""Records and tables name the same things."""

import pytest
from msgspec import Struct

from countermark.catalog import records, tables

PAIRS = [
    (records.ApplicationRecord, tables.applications),
    (records.PipelineRecord, tables.pipelines),
    (records.JobRecord, tables.jobs),
    (records.UploadRecord, tables.uploads),
    (records.LinkKey, tables.link_keys),
]


@pytest.mark.parametrize(("record", "table"), PAIRS)
def test_a_record_has_its_tables_columns_in_their_order(
    record: type[Struct], table: object
) -> None:
    assert list(record.__struct_fields__) == [column.name for column in table.c]


def test_a_file_record_has_its_columns_and_what_is_joined() -> None:
    columns = [column.name for column in tables.files.c]
    assert list(records.FileRecord.__struct_fields__) == [*columns, "parent_is_root"]
