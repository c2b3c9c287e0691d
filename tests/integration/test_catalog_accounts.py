"""Accounts, tokens, link keys, pipelines and uploads, on both databases."""

import multiprocessing
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from countermark.catalog.database import Database
from countermark.catalog.ordering import Page
from countermark.catalog.readers import accounts as read_accounts
from countermark.catalog.readers import files as read_files
from countermark.catalog.readers import jobs as read_jobs
from countermark.catalog.readers import keys as read_keys
from countermark.catalog.readers import pipelines as read_pipelines
from countermark.catalog.readers import uploads as read_uploads
from countermark.catalog.records import Access, LinkKey, UploadRecord
from countermark.catalog.writers import accounts, keys, pipelines, uploads
from countermark.errors import InvalidUploadInputError
from countermark.ids import new_id
from support.catalog import NOW, Owner, make_owner

TOKEN = b"t" * 32


def test_a_token_gives_its_scopes_until_it_expires(database: Database) -> None:
    with database.write() as conn:
        owner = make_owner(conn)
        accounts.issue_token(conn, owner.application.id, ["me", "mediahub"], TOKEN, NOW + 10, NOW)
        access = read_accounts.access_by_token(conn, TOKEN, NOW + 9)
        assert access == Access(owner.application.id, owner.user.id, frozenset({"me", "mediahub"}))
        assert read_accounts.access_by_token(conn, TOKEN, NOW + 10) is None
        assert read_accounts.access_by_token(conn, b"x" * 32, NOW) is None


def test_a_revoked_application_has_no_access(database: Database) -> None:
    with database.write() as conn:
        application = make_owner(conn).application
        accounts.issue_token(conn, application.id, ["me"], TOKEN, NOW + 10, NOW)
        assert accounts.revoke_application(conn, application.id, NOW + 1)
        assert not accounts.revoke_application(conn, application.id, NOW + 2)
        assert not accounts.revoke_application(conn, new_id(), NOW)
        assert read_accounts.access_by_token(conn, TOKEN, NOW + 2) is None
        found = read_accounts.application(conn, application.id)
        assert found is not None
        assert found.revoked_at == NOW + 1


def test_an_application_comes_back_as_it_was_made(database: Database) -> None:
    with database.write() as conn:
        owner = make_owner(conn)
        other = accounts.create_application(conn, owner.user.id, "other", [], NOW)
    with database.read() as conn:
        assert read_accounts.application(conn, other.id) == other
        assert read_accounts.applications(conn) == [owner.application, other]
    secrets = {len(other.client_secret), len(owner.application.client_secret)}
    assert secrets == {32}
    assert other.client_secret != owner.application.client_secret


def test_the_first_user_is_the_oldest(database: Database) -> None:
    with database.write() as conn:
        users = [accounts.create_user(conn, name, NOW) for name in ("zoe", "ann")]
        assert read_accounts.first_user(conn) == users[0]
        assert read_accounts.user(conn, new_id()) is None


def test_two_users_cannot_have_one_name(database: Database) -> None:
    with database.write() as conn:
        accounts.create_user(conn, "ann", NOW)
    with pytest.raises(sa.exc.IntegrityError), database.write() as conn:
        accounts.create_user(conn, "ann", NOW)


def test_expired_tokens_are_forgotten(database: Database) -> None:
    with database.write() as conn:
        owner = make_owner(conn)
        for number in range(4):
            token = bytes([number]) * 32
            accounts.issue_token(conn, owner.application.id, ["me"], token, NOW + number, NOW)
        assert accounts.delete_expired_tokens(conn, NOW + 1) == 2
        assert accounts.delete_expired_tokens(conn, NOW + 1) == 0


def test_threads_issue_tokens_at_once_and_none_is_lost(database: Database) -> None:
    with database.write() as conn:
        application = make_owner(conn).application

    def issue(number: int) -> None:
        with database.write() as conn:
            token = number.to_bytes(32, "big")
            accounts.issue_token(conn, application.id, ["me"], token, NOW + 1, NOW)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(issue, range(64)))
    with database.write() as conn:
        assert accounts.delete_expired_tokens(conn, NOW + 1) == 64


def test_rotating_adds_a_key_and_keeps_the_old_ones(database: Database) -> None:
    with database.write() as conn:
        first = keys.ensure_link_key(conn, NOW)
        assert keys.ensure_link_key(conn, NOW + 1) == first
        second = keys.rotate_link_key(conn, NOW + 2)
        assert read_keys.link_keys(conn) == [first, second]
    assert first.secret != second.secret
    assert len(first.secret) == 32


def _ensure_key(url: str) -> LinkKey:
    database = Database(url)
    try:
        with database.write() as conn:
            return keys.ensure_link_key(conn, NOW)
    finally:
        database.close()


def test_processes_that_start_together_make_one_link_key(database: Database) -> None:
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        made = pool.map(_ensure_key, [database.url] * 3, chunksize=1)
    assert len(set(made)) == 1


def test_a_pipeline_has_a_root_folder_and_belongs_to_its_user(database: Database) -> None:
    with database.write() as conn:
        owner, stranger = make_owner(conn), make_owner(conn, "stranger")
        made = pipelines.create_pipeline(
            conn,
            user_id=owner.user.id,
            application_id=owner.application.id,
            name="second",
            now=NOW,
            default_object_timeout=60,
            ping_urls={"error": "https://example.org/?a=1"},
        )
        assert (made.store_mode, made.default_object_timeout) == ("temporary", 60)
        assert read_pipelines.pipeline(conn, owner.user.id, made.id) == made
        assert read_pipelines.pipeline(conn, stranger.user.id, made.id) is None
        root = read_files.file(conn, owner.user.id, made.root_folder_id, NOW)
        assert root is not None
        assert (root.type, root.object_key, root.parent_id) == ("folder", "", None)
        assert root.parent_is_root is None


def test_pipelines_come_in_pages(database: Database) -> None:
    with database.write() as conn:
        owner = make_owner(conn)
        more = [
            pipelines.create_pipeline(
                conn,
                user_id=owner.user.id,
                application_id=owner.application.id,
                name=f"p{number}",
                now=NOW,
            )
            for number in range(3)
        ]
        assert read_pipelines.pipelines(conn, owner.user.id, Page(start=1, limit=2)) == (
            more[:2],
            4,
        )
        assert read_pipelines.pipelines(conn, owner.user.id, Page(start=9, limit=2)) == ([], 4)
        found = read_pipelines.pipelines_by_id(conn, owner.user.id, [more[0].id, new_id()])
        assert found == {more[0].id: more[0]}
        assert read_pipelines.pipelines_by_id(conn, owner.user.id, []) == {}


def test_a_job_is_its_users_alone(database: Database) -> None:
    with database.write() as conn:
        owner = make_owner(conn)
        job_id = owner.add_job(conn).id
        job = read_jobs.job(conn, owner.user.id, job_id)
        assert job is not None
        assert job.status == "QUEUED"
        assert read_jobs.job(conn, new_id(), job_id) is None


def _upload(conn: sa.Connection, owner: Owner, ends_at: int = NOW + 100) -> UploadRecord:
    return uploads.create_upload(
        conn,
        user_id=owner.user.id,
        application_id=owner.application.id,
        pipeline_id=owner.pipeline.id,
        object_key="a/b.mp4",
        file_expires_at=None,
        ends_at=ends_at,
        now=NOW,
    )


def test_an_upload_is_finished_once_and_again_with_the_same_number(database: Database) -> None:
    with database.write() as conn:
        owner = make_owner(conn)
        upload = _upload(conn, owner)
        assert read_uploads.upload(conn, owner.user.id, upload.id) == upload
        begun = uploads.begin_completing(conn, owner.user.id, upload.id, 3, NOW + 1)
        assert begun is not None
        assert (begun.status, begun.nb_chunks, begun.updated_at) == ("COMPLETING", 3, NOW + 1)
        assert uploads.begin_completing(conn, owner.user.id, upload.id, 3, NOW + 2) == begun
        with pytest.raises(InvalidUploadInputError, match="nb_chunks 3"):
            uploads.begin_completing(conn, owner.user.id, upload.id, 2, NOW)
        assert read_uploads.completing(conn) == [begun]
        uploads.complete(conn, upload.id, "no moov box", NOW + 3)
        done = uploads.begin_completing(conn, owner.user.id, upload.id, 3, NOW + 4)
        assert done is not None
        assert (done.status, done.error_msg, done.updated_at) == (
            "COMPLETED",
            "no moov box",
            NOW + 3,
        )


def test_another_users_upload_is_not_there(database: Database) -> None:
    with database.write() as conn:
        upload = _upload(conn, make_owner(conn))
        stranger = make_owner(conn, "stranger").user.id
        assert read_uploads.upload(conn, stranger, upload.id) is None
        assert uploads.begin_completing(conn, stranger, upload.id, 1, NOW) is None
        assert read_uploads.upload_to_ingest(conn, upload.id) == upload


def test_an_upload_that_has_ended_stays_as_it_ended(database: Database) -> None:
    with database.write() as conn:
        owner = make_owner(conn)
        upload = _upload(conn, owner)
        uploads.fail(conn, upload.id, "too late", NOW + 1)
        uploads.complete(conn, upload.id, None, NOW + 2)
        uploads.fail(conn, upload.id, "again", NOW + 3)
        failed = read_uploads.upload(conn, owner.user.id, upload.id)
        assert failed is not None
        assert (failed.status, failed.error_msg) == ("FAILED", "too late")
        assert uploads.begin_completing(conn, owner.user.id, upload.id, 1, NOW) == failed


def test_an_upload_finished_in_the_last_moment_is_not_abandoned(database: Database) -> None:
    with database.write() as conn:
        owner = make_owner(conn)
        late, open_ = _upload(conn, owner, NOW + 5), _upload(conn, owner, NOW + 6)
        assert read_uploads.uploads_to_end(conn, NOW + 5) == [late]
        uploads.begin_completing(conn, owner.user.id, late.id, 1, NOW + 5)
        assert not uploads.abandon(conn, late.id, "not finished", NOW + 6)
        assert uploads.abandon(conn, open_.id, "not finished", NOW + 6)
        assert read_uploads.uploads_to_end(conn, NOW + 99) == []
        assert read_uploads.live_upload_ids(conn, [late.id, new_id()]) == {late.id}
