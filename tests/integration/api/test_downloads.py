"""GET /files/downloads/, parameter by parameter, by bearer token and by signature."""

from typing import Any
from urllib.parse import unquote, urlsplit

import httpx
import pytest

from countermark.ids import new_id
from countermark.links.keys import KeyRing, LinkKey
from countermark.links.link import Link, read
from support.api import EDGE_URL, NOW, Account, Hub, error_of

DOWNLOADS = "/v1/files/downloads/"
NOW_S = NOW // 1000


def link_of(url: str) -> Link:
    assert url.startswith(f"{EDGE_URL}/d/")
    token, name = urlsplit(url).path.removeprefix("/d/").split("/")
    return read(token, name, KeyRing([LinkKey(1, b"k" * 32)]), NOW_S)


async def linked(owner: Account, **params: Any) -> Link:
    answer = await owner.get(DOWNLOADS, **params)
    assert answer.status_code == 200, answer.text
    assert list(answer.json()) == ["url"]
    return link_of(answer.json()["url"])


async def test_a_file_id_gives_a_link_to_its_bytes(owner: Account) -> None:
    record = owner.add_file("a/Käse & Wein.mp4")
    link = await linked(owner, file_id=record.id)
    assert (link.blob_key, link.size, link.mime_type) == (record.blob_key, 331_161, "video/mp4")
    assert (link.name, link.etag, link.inline) == ("Käse & Wein.mp4", "e1", False)
    assert link.expires_at == NOW_S + 86_400
    assert (link.account, link.application) == (owner.user.id, owner.application.id)
    assert (link.address, link.file) == (None, record.id)


async def test_two_links_are_never_the_same(owner: Account) -> None:
    record = owner.add_file()
    first = await linked(owner, file_id=record.id)
    assert first.serial != (await linked(owner, file_id=record.id)).serial


async def test_a_pipeline_id_and_an_object_key_give_the_same_file(owner: Account) -> None:
    record = owner.add_file("a/b c+d.mp4")
    link = await linked(owner, pipeline_id=owner.pipeline.id, object_key="a/b c+d.mp4")
    assert link.file == record.id


@pytest.mark.parametrize(
    "given",
    [
        (),
        ("pipeline_id",),
        ("object_key",),
        ("file_id", "object_key"),
        ("file_id", "pipeline_id"),
        ("file_id", "pipeline_id", "object_key"),
    ],
)
async def test_a_file_is_named_in_one_way(owner: Account, given: tuple[str, ...]) -> None:
    record = owner.add_file()
    ways = {"file_id": record.id, "pipeline_id": owner.pipeline.id, "object_key": "movie.mp4"}
    answer = await owner.get(DOWNLOADS, **{name: ways[name] for name in given})
    assert error_of(answer) == (400, "0x0230001", "Invalid Input")


async def test_redirect_answers_302_with_the_link(owner: Account) -> None:
    record = owner.add_file()
    answer = await owner.get(DOWNLOADS, file_id=record.id, redirect="true")
    assert (answer.status_code, answer.content) == (302, b"")
    assert link_of(answer.headers["location"]).file == record.id


async def test_streaming_makes_the_link_inline(owner: Account) -> None:
    record = owner.add_file()
    assert (await linked(owner, file_id=record.id, streaming="true")).inline is True
    assert (await linked(owner, file_id=record.id, streaming="false")).inline is False


async def test_expiry_time_is_the_links(owner: Account) -> None:
    record = owner.add_file()
    assert (await linked(owner, file_id=record.id, expiry_time=NOW_S + 1)).expires_at == NOW_S + 1


@pytest.mark.parametrize("expiry_time", [NOW_S, NOW_S - 1, 0, -1, NOW, NOW_S + 10**9, "x", "", 1.5])
async def test_an_expiry_time_is_seconds_in_the_future(owner: Account, expiry_time: Any) -> None:
    answer = await owner.get(DOWNLOADS, file_id=owner.add_file().id, expiry_time=expiry_time)
    assert error_of(answer)[:2] == (400, "0x0230001")
    assert answer.json()["error"]["error_detail"].startswith("expiry_time: ")


@pytest.mark.parametrize(
    ("ip", "address"),
    [
        ("3232236033", "192.168.2.1"),
        ("192.168.2.1", "192.168.2.1"),
        ("2001:DB8:0::1", "2001:db8::1"),
        ("::ffff:192.168.2.1", "192.168.2.1"),
        ("0", "0.0.0.0"),
    ],
)
async def test_ip_binds_the_link(owner: Account, ip: str, address: str) -> None:
    assert (await linked(owner, file_id=owner.add_file().id, ip=ip)).address == address


@pytest.mark.parametrize(
    "ip", ["", "4294967296", "-1", "1.2.3", "host", "1.2.3.4/8", "fe80::1%25eth0"]
)
async def test_an_address_that_is_none_is_refused(owner: Account, ip: str) -> None:
    answer = await owner.get(DOWNLOADS, file_id=owner.add_file().id, ip=ip)
    assert error_of(answer)[:2] == (400, "0x0230001")


async def test_a_link_without_policies_needs_no_ledger(owner: Account) -> None:
    assert not (await linked(owner, file_id=owner.add_file().id)).needs_ledger


@pytest.mark.parametrize("guarded", [True, False])
async def test_anti_fraud_guards_the_link(owner: Account, *, guarded: bool) -> None:
    link = await linked(owner, file_id=owner.add_file().id, anti_fraud=str(guarded).lower())
    assert link.guarded is guarded


@pytest.mark.parametrize("limit", [0, 2, 100])
async def test_max_parallel_downloads_limits_the_link(owner: Account, limit: int) -> None:
    record = owner.add_file()
    link = await linked(owner, file_id=record.id, max_parallel_downloads=str(limit))
    assert link.parallel == limit


@pytest.mark.parametrize("limit", ["-1", "101", "1.5", "many", ""])
async def test_a_limit_that_is_none_is_refused(owner: Account, limit: str) -> None:
    record = owner.add_file()
    answer = await owner.get(DOWNLOADS, file_id=record.id, max_parallel_downloads=limit)
    assert error_of(answer)[:2] == (400, "0x0230001")


@pytest.mark.parametrize("multi_use", [None, True, False])
async def test_a_url_for_one_use_gives_a_link_for_one_download(
    owner: Account, *, multi_use: bool | None
) -> None:
    path = f"{DOWNLOADS}?file_id={owner.add_file().id}"
    answer = await signed_get(owner, owner.signed(path, multi_use=multi_use))
    assert link_of(answer.json()["url"]).once is (multi_use is False)


async def test_an_archive_gives_one_link_for_each_element(owner: Account) -> None:
    first, second = owner.add_file("1.mp4"), owner.add_file("2.mp4")
    archive = owner.add_archive([second.id, first.id])
    answer = await owner.get(DOWNLOADS, file_id=archive.id)
    assert list(answer.json()) == ["urls"]
    assert [link_of(url).file for url in answer.json()["urls"]] == [second.id, first.id]


async def test_an_archive_cannot_redirect(owner: Account) -> None:
    archive = owner.add_archive([owner.add_file().id])
    answer = await owner.get(DOWNLOADS, file_id=archive.id, redirect="true")
    assert error_of(answer)[:2] == (400, "0x0230001")


async def test_a_folder_cannot_be_downloaded(owner: Account) -> None:
    answer = await owner.get(DOWNLOADS, file_id=owner.pipeline.root_folder_id)
    assert error_of(answer)[:2] == (400, "0x0230001")


async def test_unknown_and_foreign_files_are_not_found(owner: Account, stranger: Account) -> None:
    record = owner.add_file()
    answers = [
        await stranger.get(DOWNLOADS, file_id=record.id),
        await stranger.get(DOWNLOADS, file_id=new_id()),
        await stranger.get(DOWNLOADS, pipeline_id=owner.pipeline.id, object_key="movie.mp4"),
        await owner.get(DOWNLOADS, pipeline_id=owner.pipeline.id, object_key="../movie.mp4"),
    ]
    for answer in answers:
        assert error_of(answer) == (404, "0x0230002", "Requested file does not exist")
    assert len({answer.content for answer in answers}) == 1


@pytest.mark.parametrize("name", ["file_id", "pipeline_id"])
@pytest.mark.parametrize("value", ["", "abc", "G" * 24, "0" * 25])
async def test_a_malformed_id_is_invalid(owner: Account, name: str, value: str) -> None:
    answer = await owner.get(DOWNLOADS, object_key="x", **{name: value})
    assert error_of(answer)[:2] == (400, "0x0230001")


# By signature


async def signed_get(owner: Account, url: str) -> httpx.Response:
    return await owner.hub.http.get(url)


async def test_a_signed_url_works_without_a_token(owner: Account) -> None:
    record = owner.add_file()
    url = owner.signed(f"{DOWNLOADS}?file_id={record.id}&redirect=true&expert_mode=true")
    for _ in range(2):
        answer = await signed_get(owner, url)
        assert answer.status_code == 302
        link = link_of(answer.headers["location"])
        assert (link.file, link.application) == (record.id, owner.application.id)
        assert link.expires_at == NOW_S + 600  # the same parameter ends both


@pytest.mark.parametrize(("asked", "second_status"), [(None, 200), ("true", 200), ("false", 403)])
async def test_only_multi_use_false_works_once(
    owner: Account, asked: str | None, second_status: int
) -> None:
    multi_use = None if asked is None else asked == "true"
    url = owner.signed(f"{DOWNLOADS}?file_id={owner.add_file().id}", multi_use=multi_use)
    assert (await signed_get(owner, url)).status_code == 200
    second = await signed_get(owner, url)
    assert second.status_code == second_status
    if second_status == 403:
        assert error_of(second) == (403, "0x0000003", "Invalid access token")


async def test_a_request_that_fails_does_not_use_up_its_url(owner: Account) -> None:
    url = owner.signed(
        f"{DOWNLOADS}?pipeline_id={owner.pipeline.id}&object_key=late.mp4", multi_use=False
    )
    assert error_of(await signed_get(owner, url))[1] == "0x0230002"
    owner.add_file("late.mp4")
    assert (await signed_get(owner, url)).status_code == 200
    assert (await signed_get(owner, url)).status_code == 403


async def test_head_uses_up_a_single_use_url(owner: Account) -> None:
    url = owner.signed(f"{DOWNLOADS}?file_id={owner.add_file().id}&redirect=true", multi_use=False)
    assert (await owner.hub.http.head(url)).status_code == 302
    assert (await signed_get(owner, url)).status_code == 403


async def test_a_signed_url_ends(hub: Hub, owner: Account) -> None:
    url = owner.signed(f"{DOWNLOADS}?file_id={owner.add_file().id}", ahead=10)
    hub.clock.now += 10_000
    assert error_of(await signed_get(owner, url)) == (403, "0x0000003", "Invalid access token")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("redirect=true", "redirect=fals"),
        ("&client_id=", "&streaming=true&client_id="),
        ("/downloads/?", "/downloads?"),
        ("file_id=", "file%5Fid="),
        ("&signature=", "&multi_use=false&signature="),
        ("&signature=", "&signature=0"),
    ],
)
async def test_a_signature_covers_every_byte_before_it(owner: Account, old: str, new: str) -> None:
    url = owner.signed(f"{DOWNLOADS}?file_id={owner.add_file().id}&redirect=true")
    assert error_of(await signed_get(owner, url.replace(old, new, 1)))[:2] == (403, "0x0000003")


@pytest.mark.parametrize("extra", ["&x=1", "&signature=00", "&client_id=x"])
async def test_nothing_follows_a_signature(owner: Account, extra: str) -> None:
    url = owner.signed(f"{DOWNLOADS}?file_id={owner.add_file().id}") + extra
    assert error_of(await signed_get(owner, url))[:2] == (403, "0x0000003")


async def test_another_applications_signature_opens_nothing(
    owner: Account, stranger: Account
) -> None:
    url = stranger.signed(f"{DOWNLOADS}?file_id={owner.add_file().id}")
    assert error_of(await signed_get(owner, url))[1] == "0x0230002"
    forged = url.replace(stranger.application.id, owner.application.id)
    assert error_of(await signed_get(owner, forged))[1] == "0x0000003"


async def test_signatures_open_downloads_only(owner: Account) -> None:
    record = owner.add_file()
    for path in (f"/v1/files/{record.id}", "/v1/files/", "/v1/pipelines/"):
        assert error_of(await signed_get(owner, owner.signed(path)))[1] == "0x0000003"


async def test_a_percent_encoded_name_is_verified_as_sent(owner: Account) -> None:
    owner.add_file("Käse.mp4")
    for key in ("K%C3%A4se.mp4", "K%c3%a4se.mp4", "K%C3%A4s%65.mp4"):
        url = owner.signed(f"{DOWNLOADS}?pipeline_id={owner.pipeline.id}&object_key={key}")
        answer = await signed_get(owner, url)
        assert answer.status_code == 200, key
        assert unquote(answer.json()["url"]).endswith("/Käse.mp4")


async def test_no_byte_of_a_signed_url_can_be_altered(owner: Account) -> None:
    url = owner.signed(f"{DOWNLOADS}?file_id={owner.add_file().id}&streaming=true")
    start = url.index("?") + 1
    for at in range(start, len(url)):
        for other in "0x":
            altered = f"{url[:at]}{other}{url[at + 1 :]}"
            if altered != url:
                answer = await signed_get(owner, altered)
                assert answer.status_code == 403, altered
