"""POST /oauth2/token/, and what a token opens."""

from base64 import b64encode

import pytest

from countermark.catalog.writers import accounts
from support.api import Account, Hub, error_of

TOKEN = "/v1/oauth2/token/"


def form(account: Account, **fields: str) -> dict[str, str]:
    known = {
        "grant_type": "client_credential",
        "client_id": account.application.id,
        "client_secret": b64encode(account.application.client_secret).decode(),
    }
    return known | fields


async def test_both_spellings_of_the_grant_type_and_the_path_work(owner: Account) -> None:
    for grant_type in ("client_credential", "client_credentials"):
        for path in (TOKEN, TOKEN.rstrip("/")):
            answer = await owner.hub.http.post(path, data=form(owner, grant_type=grant_type))
            assert answer.status_code == 200
            assert list(answer.json()) == ["access_token", "expires_in", "token_type"]
            assert answer.json()["expires_in"] == 3600
            assert answer.json()["token_type"] == "Bearer"
            assert answer.headers["cache-control"] == "no-store"


async def test_basic_credentials_work(owner: Account) -> None:
    secret = b64encode(owner.application.client_secret).decode()
    answer = await owner.hub.http.post(
        TOKEN, data={"grant_type": "client_credentials"}, auth=(owner.application.id, secret)
    )
    assert answer.status_code == 200


@pytest.mark.parametrize("where", ["query", "form"])
async def test_expires_in_is_the_tokens_life(hub: Hub, owner: Account, where: str) -> None:
    params = {"expires_in": "7"} if where == "query" else None
    data = form(owner, **({} if params else {"expires_in": "7"}))
    answer = await hub.http.post(TOKEN, data=data, params=params)
    assert answer.json()["expires_in"] == 7
    owner.token = answer.json()["access_token"]
    hub.clock.now += 7000
    assert error_of(await owner.get("/v1/files/")) == (403, "0x0000003", "Invalid access token")


@pytest.mark.parametrize("scope", ["mediahub_read,me", "mediahub_read me", " mediahub_read , me"])
async def test_a_token_can_have_fewer_scopes(owner: Account, scope: str) -> None:
    owner.token = await owner.new_token(scope=scope)
    assert (await owner.get("/v1/files/")).status_code == 200
    answer = await owner.call("DELETE", f"/v1/files/{owner.pipeline.root_folder_id}")
    assert error_of(answer) == (403, "0x0000003", "Invalid access token")
    assert answer.json()["error"]["error_detail"] == "needs the scope mediahub_write"


async def test_no_token_has_more_scopes_than_its_application(hub: Hub) -> None:
    reader = await hub.account("reader", ("mediahub_read",))
    for scope in ("mediahub", "mediahub_write", "nothing", "mediahub_read,autograph"):
        answer = await hub.http.post(TOKEN, data=form(reader, scope=scope))
        assert error_of(answer)[:2] == (400, "0x0010001")


@pytest.mark.parametrize(
    ("scopes", "path", "status"),
    [
        (("mediahub_download_files",), "/v1/files/", 403),
        (("mediahub_download_files",), "/v1/files/downloads/?file_id=FILE", 200),
        (("mediahub_read",), "/v1/files/downloads/?file_id=FILE", 200),
        (("mediahub_write",), "/v1/files/downloads/?file_id=FILE", 403),
        (("mediahub",), "/v1/files/FILE", 200),
        (("me",), "/v1/files/FILE", 403),
        (("me",), "/v1/users/USER", 200),
        (("mediahub_write",), "/v1/users/USER", 403),
        (("mediahub_submit_jobs",), "/v1/pipelines/", 200),
        (("me",), "/v1/pipelines/", 403),
    ],
)
async def test_each_call_needs_a_scope(
    hub: Hub, scopes: tuple[str, ...], path: str, status: int
) -> None:
    account = await hub.account("somebody", scopes)
    path = path.replace("FILE", account.add_file().id).replace("USER", account.user.id)
    assert (await account.call("GET", path)).status_code == status


@pytest.mark.parametrize(
    "wrong",
    [
        {"client_secret": "AAAA"},
        {"client_secret": "not base64!"},
        {"client_secret": ""},
        {"client_id": "0" * 24},
        {"client_id": "' --"},
    ],
)
async def test_wrong_credentials_get_no_token(owner: Account, wrong: dict[str, str]) -> None:
    answer = await owner.hub.http.post(TOKEN, data=form(owner, **wrong))
    assert error_of(answer) == (400, "0x0010001", "Invalid grant")


@pytest.mark.parametrize(
    "wrong",
    [
        {"grant_type": "password"},
        {"grant_type": ""},
        {"expires_in": "0"},
        {"expires_in": "x"},
        {"expires_in": "99999999999"},
        {"client_id": "a" * 4096},
        {"scope": "a\0b"},
    ],
)
async def test_wrong_fields_are_named(owner: Account, wrong: dict[str, str]) -> None:
    answer = await owner.hub.http.post(TOKEN, data=form(owner, **wrong))
    assert error_of(answer)[:2] == (400, "0x0000008")
    assert answer.json()["error"]["error_detail"].startswith(next(iter(wrong)))


async def test_a_revoked_application_loses_its_tokens_and_signatures(
    hub: Hub, owner: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("countermark.api.authorization.REMEMBERED_SECONDS", 0.0)
    record = owner.add_file()
    url = owner.signed(f"/v1/files/downloads/?file_id={record.id}")
    owner.token = await owner.new_token()
    assert (await owner.get("/v1/files/")).status_code == 200
    with hub.database.write() as connection:
        accounts.revoke_application(connection, owner.application.id, hub.clock())
    assert error_of(await owner.get("/v1/files/"))[1] == "0x0000003"
    assert error_of(await hub.http.get(url))[1] == "0x0000003"
    assert error_of(await hub.http.post(TOKEN, data=form(owner)))[1] == "0x0010001"


def test_a_revocation_takes_effect_within_five_seconds() -> None:
    from countermark.api.authorization import REMEMBERED_SECONDS  # noqa: PLC0415 - the fact itself

    assert REMEMBERED_SECONDS <= 5


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer wrong",
        "Basic abc",
        "Token x",
        "Bearer " + "a" * 5000,
        "Bearer \xff",
        "Bearer a b",
    ],
)
async def test_anything_but_a_living_token_is_refused(hub: Hub, header: str) -> None:
    answer = await hub.http.get("/v1/files/", headers={"Authorization": header.encode("latin-1")})
    assert error_of(answer) == (403, "0x0000003", "Invalid access token")


async def test_the_token_is_not_kept_in_plain(hub: Hub, owner: Account) -> None:
    with hub.database.read() as connection:
        kept = connection.exec_driver_sql("SELECT * FROM tokens").all()
    assert owner.token not in repr(kept)
