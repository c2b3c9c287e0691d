"""GET /files/downloads/ of AutoGraph masters: every link leads to one copy, and is kept."""

import asyncio
from typing import Any
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa

from countermark.catalog.readers import autograph
from countermark.catalog.records import FileRecord, IssuedCopy, Sidecar
from countermark.catalog.tables import autograph_copies
from countermark.links.keys import KeyRing, LinkKey
from countermark.links.link import Link, read
from support.api import NOW, Account, Hub, error_of

DOWNLOADS = "/v1/files/downloads/"


def link_of(url: str) -> Link:
    token, name = urlsplit(url).path.removeprefix("/d/").split("/")
    return read(token, name, KeyRing([LinkKey(1, b"k" * 32)]), NOW // 1000)


def add_master(owner: Account, object_key: str = "film.mp4", **values: Any) -> FileRecord:
    known = {"autograph": True, "size": 1000, "size_on_disk": 4000}
    return owner.add_file(object_key, **(known | values))


async def linked(owner: Account, file: FileRecord, **params: Any) -> Link:
    answer = await owner.get(DOWNLOADS, file_id=file.id, **params)
    assert answer.status_code == 200, answer.text
    return link_of(answer.json()["url"])


def tags(owner: Account, file: FileRecord) -> list[str]:
    with owner.hub.database.read() as connection:
        return list(autograph.tags(connection, file.id))


def copies(owner: Account, file: FileRecord, tag: str) -> list[IssuedCopy]:
    with owner.hub.database.read() as connection:
        return autograph.copies(connection, file.id, tag, 100)


TAGS = ["a", " ", "\1\x7f", "Zoë 🎬", "x" * 256, "é" * 128, "100% & more=1#+", "\u202e\u05d5"]


@pytest.mark.parametrize("tag", TAGS)
async def test_any_tag_marks_the_copy_and_is_kept(owner: Account, tag: str) -> None:
    master = add_master(owner)
    link = await linked(owner, master, autograph_tag=tag)
    assert (link.tag, link.mark, link.variants, link.size) == (tag, tag, 4, 1000)
    assert tags(owner, master) == [tag]


async def test_what_is_kept_says_who_was_given_what_when(owner: Account) -> None:
    master = add_master(owner)
    bound = await linked(owner, master, autograph_tag="a", ip="192.0.2.7")
    owner.hub.clock.now += 1
    free = await linked(owner, master, autograph_tag="a", expiry_time=NOW // 1000 + 60)
    known = {
        "file_id": master.id,
        "tag": "a",
        "user_id": owner.user.id,
        "application_id": owner.application.id,
        "asked_from": "127.0.0.1",
    }
    assert copies(owner, master, "a") == [
        IssuedCopy(
            serial=bound.serial,
            bound_to="192.0.2.7",
            created_at=NOW,
            expires_at=NOW + 86_400_000,
            **known,
        ),
        IssuedCopy(
            serial=free.serial,
            bound_to=None,
            created_at=NOW + 1,
            expires_at=NOW + 60_000,
            **known,
        ),
    ]


async def test_the_asker_is_whom_a_trusted_proxy_names(owner: Account) -> None:
    headers = {"X-Forwarded-For": "203.0.113.9"}
    master = add_master(owner)
    await owner.call(
        "GET", DOWNLOADS, params={"file_id": master.id, "autograph_tag": "a"}, headers=headers
    )
    assert copies(owner, master, "a")[0].asked_from == "127.0.0.1"  # none is trusted here


async def test_without_a_tag_the_copy_carries_one_of_the_application(owner: Account) -> None:
    master = add_master(owner)
    link = await linked(owner, master)
    assert (link.tag, link.mark) == ("", f"application/{owner.application.id}")
    assert link.variants == 4
    assert tags(owner, master) == [link.mark]


async def test_each_recipient_has_an_entity_tag_of_their_own(owner: Account) -> None:
    master = add_master(owner)
    marks = ["a", "b", ""]
    params = [{"autograph_tag": mark} if mark else {} for mark in marks]
    found = {(await linked(owner, master, **given)).etag for given in params}
    assert len(found) == 3
    assert (await linked(owner, master, autograph_tag="a")).etag in found


@pytest.mark.parametrize("autograph", [None, False])
async def test_a_plain_file_takes_no_tag(owner: Account, *, autograph: bool | None) -> None:
    file = owner.add_file(autograph=autograph)
    answer = await owner.get(DOWNLOADS, file_id=file.id, autograph_tag="a")
    assert error_of(answer) == (400, "0x0230001", "Invalid Input")
    assert "not an AutoGraph master" in answer.json()["error"]["error_detail"]
    plain = await linked(owner, file)
    assert (plain.variants, plain.etag) == (1, "e1")
    assert tags(owner, file) == []


@pytest.mark.parametrize("tag", ["", "x" * 257, "é" * 129])
async def test_a_tag_that_is_none_is_refused(owner: Account, tag: str) -> None:
    master = add_master(owner)
    answer = await owner.get(DOWNLOADS, file_id=master.id, autograph_tag=tag)
    assert error_of(answer)[:2] == (400, "0x0230001")
    assert answer.json()["error"]["error_detail"].startswith("autograph_tag: ")
    assert tags(owner, master) == []


@pytest.mark.parametrize("raw", ["%ff", "%ed%a0%80", "%00"])
async def test_a_tag_that_is_no_text_is_refused(owner: Account, raw: str) -> None:
    url = f"{DOWNLOADS}?file_id={add_master(owner).id}&autograph_tag={raw}"
    assert error_of(await owner.call("GET", url))[:2] == (400, "0x0230001")


async def test_a_tag_needs_the_scope_autograph(owner: Account) -> None:
    master = add_master(owner)
    owner.token = await owner.new_token(scope="mediahub_read")
    answer = await owner.get(DOWNLOADS, file_id=master.id, autograph_tag="a")
    assert error_of(answer) == (403, "0x0000003", "Invalid access token")
    assert answer.json()["error"]["error_detail"] == "needs the scope autograph"
    assert tags(owner, master) == []
    assert (await linked(owner, master)).mark.startswith("application/")


@pytest.mark.parametrize(("scopes", "status"), [(("mediahub", "autograph"), 200), (("me",), 403)])
async def test_a_signature_marks_as_a_token_does(
    hub: Hub, scopes: tuple[str, ...], status: int
) -> None:
    owner = await hub.account("signer", (*scopes, "mediahub_download_files"))
    master = add_master(owner)
    url = owner.signed(f"{DOWNLOADS}?file_id={master.id}&autograph_tag=Zo%C3%AB")
    answer = await hub.http.get(url)
    assert answer.status_code == status
    assert tags(owner, master) == (["Zoë"] if status == 200 else [])


async def test_a_redirect_leads_to_a_copy_of_ones_own(owner: Account) -> None:
    master = add_master(owner)
    answer = await owner.get(DOWNLOADS, file_id=master.id, autograph_tag="a", redirect="true")
    assert link_of(answer.headers["location"]).mark == "a"
    assert tags(owner, master) == ["a"]


async def test_every_master_of_an_archive_is_marked(owner: Account) -> None:
    plain, first = owner.add_file("plain.pdf"), add_master(owner)
    second = add_master(owner, "second.mp4", size_on_disk=2000)
    archive = owner.add_archive([plain.id, first.id, second.id])
    answer = await owner.get(DOWNLOADS, file_id=archive.id, autograph_tag="a")
    links = [link_of(url) for url in answer.json()["urls"]]
    assert [link.variants for link in links] == [1, 4, 2]
    assert {link.mark for link in links} == {"a"}
    assert tags(owner, first) == tags(owner, second) == ["a"]
    assert tags(owner, plain) == []


async def test_an_archive_without_masters_takes_no_tag(owner: Account) -> None:
    archive = owner.add_archive([owner.add_file().id])
    answer = await owner.get(DOWNLOADS, file_id=archive.id, autograph_tag="a")
    assert error_of(answer)[:2] == (400, "0x0230001")


@pytest.mark.parametrize("on_disk", [None, 1000, 3000, 3999, 8001])
async def test_a_master_whose_sizes_do_not_fit_is_never_linked(
    owner: Account, on_disk: int | None
) -> None:
    master = add_master(owner, size_on_disk=on_disk)
    answer = await owner.get(DOWNLOADS, file_id=master.id)
    assert error_of(answer) == (500, "0x0000001", "Internal Error")


async def test_subtitles_of_a_master_are_told_from_its_other_sidecars(owner: Account) -> None:

    names = ["autograph", "autograph-frames", "poster", "subtitles-00"]
    sidecars = tuple(Sidecar(name, "en", f"files/x/{name}") for name in names)
    link = await linked(owner, add_master(owner, sidecars=sidecars), streaming="true")
    assert (link.poster, link.subtitles) == (True, ("en",))


async def test_links_asked_for_at_once_are_all_kept(any_hub: Hub) -> None:
    owner = await any_hub.account()
    master = add_master(owner)
    wanted = [f"person {number % 20}" for number in range(60)]
    links = await asyncio.gather(*(linked(owner, master, autograph_tag=tag) for tag in wanted))
    assert tags(owner, master) == sorted(set(wanted))
    with any_hub.database.read() as connection:
        kept = set(connection.scalars(sa.select(autograph_copies.c.serial)))
    assert kept == {link.serial for link in links}


async def test_no_link_is_given_out_that_could_not_be_kept(
    owner: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError("disk full")

    master = add_master(owner)
    monkeypatch.setattr("countermark.catalog.writers.autograph.issue", fail)
    answers = await asyncio.gather(
        *(owner.get(DOWNLOADS, file_id=master.id, autograph_tag="a") for _ in range(3))
    )
    assert {error_of(answer)[0] for answer in answers} == {500}
    monkeypatch.undo()
    assert (await linked(owner, master, autograph_tag="a")).mark == "a"
