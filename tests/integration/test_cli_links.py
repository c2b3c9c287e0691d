"""The commands that look after links, keys and address lists."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from countermark import settings
from countermark.bootstrap.keys import KEY_SETTLED_MS, read_ring
from countermark.catalog.database import Database
from countermark.catalog.readers.keys import link_keys
from countermark.catalog.readers.revocations import revocations
from countermark.catalog.writers.keys import rotate_link_key
from countermark.cli.main import cli
from countermark.errors import CountermarkError
from countermark.links.keys import LONGEST_LINK_SECONDS
from countermark.links.link import Link, mint
from countermark.work.parts import now_ms
from support.links import link

Run = Callable[..., Result]


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"COUNTERMARK_DATA_DIR": str(tmp_path / "data")}


@pytest.fixture
def run(environ: dict[str, str]) -> Run:
    def run(*arguments: str) -> Result:
        return CliRunner().invoke(cli, arguments, env=environ)

    assert run("keys", "list").exit_code == 0
    return run


@pytest.fixture
def catalog(run: Run, environ: dict[str, str]) -> Database:
    return Database(settings.load(environ).database_url)


def _minted(catalog: Database, made: Link) -> str:
    return mint(made, read_ring(catalog))


def _revoked(catalog: Database) -> list[tuple[str, str]]:
    with catalog.read() as connection:
        return [(kind, id_) for _, kind, id_ in revocations(connection)]


def _failed(result: Result) -> str:
    """What a command that failed says; `main` prints it in one line."""
    assert isinstance(result.exception, CountermarkError), result.output
    return str(result.exception)


def _rotated_before(catalog: Database, milliseconds: int) -> None:
    with catalog.write() as connection:
        rotate_link_key(connection, now_ms() - milliseconds)


def test_a_link_is_revoked_by_its_url_below_any_base(run: Run, catalog: Database) -> None:
    for base in ("http://edge.example:8081", "https://example.org/media", ""):
        made = link(serial=f"serial{len(base)}-0123")
        path = _minted(catalog, made)
        assert run("link", "revoke", f"{base}{path}").output == f"revoked {made.serial}\n"
        assert "before" in run("link", "revoke", f"{base}{path}?utm_source=mail").output
        assert ("link", made.serial) in _revoked(catalog)


def test_a_link_is_revoked_by_its_serial(run: Run, catalog: Database) -> None:
    assert run("link", "revoke", "0123456789ab").exit_code == 0
    assert _revoked(catalog) == [("link", "0123456789ab")]


def test_what_is_no_living_link_is_not_revoked(run: Run, catalog: Database) -> None:
    path = _minted(catalog, link())
    assert "not made here" in _failed(run("link", "revoke", path[:-1]))
    assert "expired" in _failed(run("link", "revoke", _minted(catalog, link(expires_at=1))))
    assert "no link of an edge" in _failed(run("link", "revoke", "https://example.org/film.mp4"))
    assert run("link", "revoke", "?").exit_code == 2
    assert _revoked(catalog) == []


def test_a_key_signs_only_once_every_process_knows_it(run: Run, catalog: Database) -> None:
    old = read_ring(catalog).current.id
    assert run("keys", "rotate").exit_code == 0
    assert read_ring(catalog).current.id == old
    assert read_ring(catalog).find(old + 1)
    _rotated_before(catalog, KEY_SETTLED_MS)
    assert read_ring(catalog).current.id == old + 2


def test_keys_are_listed_without_their_secrets(run: Run, catalog: Database) -> None:
    run("keys", "rotate")
    rows = msgspec.json.decode(run("keys", "list", "--json").output)
    assert [row["id"] for row in rows] == [1, 2]
    assert {key for row in rows for key in row} == {"id", "created_at", "links_until"}
    assert rows[0]["links_until"] > now_ms() + (LONGEST_LINK_SECONDS - 60) * 1000
    assert rows[1]["links_until"] is None
    assert "2  created " in run("keys", "list").output


def test_a_key_is_retired_when_its_last_link_has_ended(run: Run, catalog: Database) -> None:
    assert "rotate first" in _failed(run("keys", "retire", "1"))
    run("keys", "rotate")
    assert "--force" in _failed(run("keys", "retire", "1"))
    assert "no key 9" in _failed(run("keys", "retire", "9"))
    assert run("keys", "retire", "1", "--force").output == "retired key 1\n"
    _rotated_before(catalog, LONGEST_LINK_SECONDS * 1000 + KEY_SETTLED_MS + 1)
    assert run("keys", "retire", "2").exit_code == 0
    with catalog.read() as connection:
        assert [key.id for key in link_keys(connection)] == [3]


def test_lists_are_added_checked_refreshed_and_removed(run: Run, tmp_path: Path) -> None:
    source = tmp_path / "blocked.txt"
    source.write_text("192.0.2.0/24\n2001:db8::/32\n")
    assert run("lists", "add", "a", str(source), "--kind", "blacklist").output == "a: 2 ranges\n"
    for address in ("192.0.2.7", "::ffff:192.0.2.7", "3221225991"):
        assert run("lists", "check", address).output == "192.0.2.7 is on a (blacklist)\n"
    assert run("lists", "check", "192.0.3.7").output == "192.0.3.7 is on no list\n"
    assert run("lists", "check", "here").exit_code == 2
    source.write_text("192.0.3.0/24\n198.51.100.1\n203.0.113.1\n")
    assert run("lists", "refresh").output == "a: 3 ranges\n"
    (row,) = msgspec.json.decode(run("lists", "list", "--json").output)
    assert (row["name"], row["kind"], row["source"]) == ("a", "blacklist", str(source))
    assert (row["ranges"], row["due"], row["problem"]) == (3, None, None)
    assert run("lists", "list").output.startswith("a  blacklist  ")
    assert run("lists", "remove", "a").exit_code == 0
    assert "no list 'a'" in _failed(run("lists", "remove", "a"))
    assert "no list 'a'" in _failed(run("lists", "refresh", "a"))


def test_a_list_that_cannot_be_renewed_is_told_and_kept(run: Run, tmp_path: Path) -> None:
    good, broken = tmp_path / "good.txt", tmp_path / "broken.txt"
    for path in (good, broken):
        path.write_text("192.0.2.1\n")
        run("lists", "add", path.stem, str(path))
    broken.write_text("")
    result = run("lists", "refresh")
    assert "1 of the lists" in _failed(result)
    assert "broken: kept as it was: it lists no address" in result.output
    assert "good: 1 ranges" in result.output
    assert "is on broken" in run("lists", "check", "192.0.2.1").output
    assert "it lists no address" in run("lists", "list").output


def test_a_list_is_refused_with_one_line_of_reason(run: Run, tmp_path: Path) -> None:
    assert "cannot be read" in _failed(run("lists", "add", "a", str(tmp_path / "none")))
    assert "not public" in _failed(run("lists", "add", "a", "http://127.0.0.1:9/list"))
    assert run("lists", "add", "a", "x", "--every", "0").exit_code == 2


def test_revoking_an_application_ends_its_links(run: Run, catalog: Database) -> None:
    made = msgspec.json.decode(run("app", "create", "other", "--json").output)
    assert run("app", "revoke", made["client_id"]).exit_code == 0
    assert _revoked(catalog) == [("application", made["client_id"])]
