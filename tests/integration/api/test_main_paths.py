"""The main paths on each database, and what happens when one stalls."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from countermark.api.catalog_calls import CatalogCalls
from countermark.catalog.database import Database
from countermark.errors import UnavailableError
from support.api import Hub, error_of


async def test_a_file_is_listed_shown_downloaded_and_deleted(any_hub: Hub) -> None:
    owner, stranger = await any_hub.account("owner"), await any_hub.account("stranger")
    record = owner.add_file("a/b.mp4", video_tracks=[{"video_codec": "VP9", "width": 2}])
    page = (await owner.get("/v1/files/", type="file", sort="video_tracks.width")).json()
    shown = (await owner.get(f"/v1/files/{record.id}")).json()["file"]
    assert page["files"] == [shown]
    expanded = (await owner.get(f"/v1/files/{record.id}", expand_all="true")).json()["file"]
    assert expanded["pipeline"]["application"]["user"]["name"] == "owner"
    for params in ({"file_id": record.id}, {"object_key": "a/b.mp4"}):
        named = params if "file_id" in params else params | {"pipeline_id": owner.pipeline.id}
        assert (await owner.get("/v1/files/downloads/", **named)).status_code == 200
    signed = owner.signed(f"/v1/files/downloads/?file_id={record.id}", multi_use=False)
    answers = [(await any_hub.http.get(signed)).status_code for _ in range(2)]
    assert answers == [200, 403]
    assert (await stranger.get(f"/v1/files/{record.id}")).status_code == 404
    assert (await owner.call("DELETE", f"/v1/files/{record.id}")).status_code == 204
    assert (await owner.get(f"/v1/files/{record.id}")).status_code == 404


async def test_an_upload_begins_and_finishes(any_hub: Hub) -> None:
    owner = await any_hub.account()
    params = {"object_key": "ü/b.mp4", "pipeline_id": owner.pipeline.id}
    upload = (await owner.call("POST", "/v1/files/uploads/", params=params)).json()["upload"]
    await any_hub.put_note(upload["id"], 0)
    path = f"/v1/files/uploads/{upload['id']}"
    finished = await owner.call("PUT", path, json={"upload": {"nb_chunks": 1}})
    assert finished.json()["upload"]["status"] == "COMPLETING"
    assert any_hub.enqueued == [upload["id"]]
    assert (await owner.get(path)).json() == finished.json()


async def test_a_pipeline_is_kept_with_all_its_fields(any_hub: Hub) -> None:
    owner = await any_hub.account()
    body: dict[str, Any] = {"name": "ü", "ping_urls": {"error": "https://a.example"}}
    made = await owner.call("POST", "/v1/pipelines/", json={"pipeline": body})
    assert made.status_code == 201
    listed = (await owner.get("/v1/pipelines/", start=1)).json()["pipelines"]
    assert listed == [made.json()["pipeline"]]


async def test_each_point_read_sees_what_was_committed_before_it(any_hub: Hub) -> None:
    owner = await any_hub.account()
    for number in range(3):
        record = owner.add_file(f"{number}.mp4")
        assert (await owner.get(f"/v1/files/{record.id}")).status_code == 200
        assert (await owner.call("DELETE", f"/v1/files/{record.id}")).status_code == 204
        assert (await owner.get(f"/v1/files/{record.id}")).status_code == 404


class StalledDatabase(Database):
    """A database whose server does not answer until it is let go."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"sqlite:///{folder / 'stalled.sqlite'}")
        self.url = "postgresql://stalled"
        self.let_go = threading.Event()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        self.let_go.wait()
        with super().read() as connection:
            yield connection

    glance = read


async def test_a_stalled_database_stalls_no_other_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("countermark.api.catalog_calls.DEADLINE_SECONDS", 0.05)
    database = StalledDatabase(tmp_path)
    catalog = CatalogCalls(database)
    waiting = asyncio.create_task(catalog.read_point(lambda connection: connection.closed))
    ticks = 0
    while not waiting.done():
        ticks += 1
        await asyncio.sleep(0)
    assert ticks > 10
    with pytest.raises(UnavailableError):
        waiting.result()
    database.let_go.set()
    catalog.close()
    database.close()


async def test_a_broken_catalog_is_no_internal_secret(hub: Hub) -> None:
    owner = await hub.account()
    with hub.database.write() as connection:
        connection.exec_driver_sql("ALTER TABLE thumbnails RENAME TO elsewhere")
    record = owner.add_file()
    answer = await owner.get(f"/v1/files/{record.id}", bin_data="true")
    assert error_of(answer) == (500, "0x0000001", "Internal Error")
    assert "thumbnails" not in answer.text
