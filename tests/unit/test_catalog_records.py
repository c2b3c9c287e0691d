"""Records and tables name the same things."""

import pytest
from msgspec import Struct

from countermark.catalog import job_records, job_tables, records, tables

PAIRS = [
    (records.ApplicationRecord, tables.applications),
    (records.PipelineRecord, tables.pipelines),
    (job_records.PresetRecord, job_tables.presets),
    (job_records.NotificationRecord, job_tables.notifications),
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


def test_a_job_record_has_all_columns_that_are_not_for_queries_only() -> None:
    columns = [column.name for column in job_tables.JOB_COLUMNS]
    assert list(job_records.JobRecord.__struct_fields__) == columns
