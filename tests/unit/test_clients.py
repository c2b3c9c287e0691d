"""Telling clients apart without cookies."""

import pytest

from countermark.links.client import Client, client_from, network_of, same_client

CHROME = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0"
    " Safari/537.36"
)
EDGE = CHROME + " Edg/150.0.0.0"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:150.0) Gecko/20100101 Firefox/150.0"
SAFARI = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 26_0 like Mac OS X) AppleWebKit/605.1.15"
    " (KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1"
)
ADDRESS = "192.0.2.1"


def seen(agent: str = "", language: str = "", address: str = ADDRESS) -> Client:
    return client_from(address, {"User-Agent": agent, "Accept-Language": language})


def are_same(one: Client, other: Client) -> bool:
    return same_client(one.fingerprint("salt"), other.fingerprint("salt"))


@pytest.mark.parametrize(
    ("agent", "traits"),
    [
        (CHROME, ("chromium", "linux", "en")),
        (EDGE, ("edge", "linux", "en")),
        (FIREFOX, ("firefox", "windows", "en")),
        (SAFARI, ("safari", "ios", "en")),
        ("curl/8.14.1", ("", "", "")),
        ("VLC/3.0.21 LibVLC/3.0.21", ("", "", "")),
        ("", ("", "", "")),
    ],
)
def test_a_browser_is_known_by_family_system_and_language(
    agent: str, traits: tuple[str, ...]
) -> None:
    assert seen(agent, "en-US,en;q=0.9").traits == traits


def test_a_browser_is_not_another_nor_in_another_language_or_place() -> None:
    ann = seen(CHROME, "en-US")
    assert not are_same(ann, seen(FIREFOX, "en-US"))
    assert not are_same(ann, seen(CHROME, "de-DE"))
    assert not are_same(ann, seen(CHROME, "en-US", "192.0.2.2"))


@pytest.mark.parametrize("agent", ["aria2/1.37.0", "VLC/3.0.21", "Lavf/61.7.100", ""])
def test_a_program_at_the_same_address_works_for_the_browser(agent: str) -> None:
    assert are_same(seen(CHROME, "en-US"), seen(agent))
    assert are_same(seen(agent), seen(CHROME, "en-US"))


def test_an_update_of_the_browser_and_a_request_without_language_change_nothing() -> None:
    assert are_same(seen(CHROME, "en-US"), seen(CHROME.replace("150", "151"), "en-GB"))
    assert are_same(seen(CHROME, "en-US"), seen(CHROME))


def test_ipv6_counts_by_its_network_and_ipv4_by_itself() -> None:
    assert network_of("2001:db8::1") == network_of("2001:db8::ffff:1") == "2001:db8::/64"
    assert network_of("2001:db8::1") != network_of("2001:db8:0:1::1")
    assert network_of(ADDRESS) == ADDRESS


def test_a_fingerprint_names_nobody_and_differs_from_link_to_link() -> None:
    ann = seen(CHROME, "en-US")
    assert ADDRESS not in ann.fingerprint("salt")
    assert not set(ann.fingerprint("salt").split(".")) & set(ann.fingerprint("pepper").split("."))


@pytest.mark.parametrize(
    "agent",
    [
        "facebookexternalhit/1.1",
        "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
        "TelegramBot (like TwitterBot)",
        "WhatsApp/2.23.20.0",
        "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)",
    ],
)
def test_makers_of_previews_are_known(agent: str) -> None:
    assert seen(agent).is_preview
    assert not seen(CHROME).is_preview
