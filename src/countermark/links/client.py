"""Who uses a link, as far as requests tell without cookies: the address, and traits of the browser.

Traits say little each, and programs that work for a browser (download accelerators, players) send
none or their own. So only what two requests both say can tell their clients apart; the address's
network always counts.
"""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import NamedTuple

# Order matters: most browsers name others, too, and what follows them is the least specific.
_BROWSERS = (
    ("edge", re.compile(r"\bEdg(?:e|A|iOS)?/")),
    ("opera", re.compile(r"\bOPR/|\bOpera\b")),
    ("samsung", re.compile(r"\bSamsungBrowser/")),
    ("firefox", re.compile(r"\bFirefox/|\bFxiOS/")),
    ("chromium", re.compile(r"\bChrom(?:e|ium)/|\bCriOS/")),
    ("safari", re.compile(r"\bVersion/[\d.]+.* Safari/")),
)
_SYSTEMS = (
    ("android", re.compile(r"\bAndroid\b")),
    ("ios", re.compile(r"\b(?:iPhone|iPad|iPod)\b")),
    ("windows", re.compile(r"\bWindows\b")),
    ("macos", re.compile(r"\bMacintosh\b")),
    ("chromeos", re.compile(r"\bCrOS\b")),
    ("linux", re.compile(r"\bLinux\b|\bX11\b")),
)
# Those that fetch what is written in a chat, to show what is behind it; they say who they are.
_PREVIEW = re.compile(
    r"facebookexternalhit|facebot|twitterbot|slackbot|slack-imgproxy|telegrambot|whatsapp|discordbot"
    r"|linkedinbot|skypeuripreview|bingpreview|google-pagerenderer|redditbot|mastodon|iframely"
    r"|embedly|viberbot|microsoftpreview|applebot",
    re.IGNORECASE,
)
_LANGUAGE = re.compile(r"\s*([a-z]{2,3})\b", re.IGNORECASE)
_MOST_CHARACTERS = 512
# Of an IPv6 address the first half names a line or a subscriber; phones change the rest at will.
_IPV6_NETWORK_BITS = 64
_UNKNOWN = "-"


class Traits(NamedTuple):
    """What a browser says of itself; "" for what it does not say."""

    browser: str
    system: str
    language: str


NO_TRAITS = Traits("", "", "")


@dataclass(frozen=True, slots=True)
class Client:
    """Whose request it is.

    Attributes:
        address: in canonical text.
        traits: of the browser.
        is_preview: it says that it only looks what is behind a link.
    """

    address: str
    traits: Traits = NO_TRAITS
    is_preview: bool = False

    def fingerprint(self, salt: str) -> str:
        """What a ledger may remember of this client: digests, of the network and of each trait.

        Args:
            salt: keeps the same client's fingerprints for two links apart.
        """
        parts = (network_of(self.address), *self.traits)
        return ".".join(_digest(salt, place, part) for place, part in enumerate(parts))


def same_client(one: str, other: str) -> bool:
    """Tell whether two fingerprints of one salt may be the same client's."""
    ones, others = one.split("."), other.split(".")
    return ones[0] == others[0] and all(
        _UNKNOWN in pair or pair[0] == pair[1] for pair in zip(ones, others, strict=False)
    )


def client_from(address: str, headers: Mapping[str, str]) -> Client:
    """Read a request's headers.

    Args:
        address: of the client, as far as trusted proxies tell.
        headers: by case-insensitive name.
    """
    agent = headers.get("User-Agent", "")[:_MOST_CHARACTERS]
    browser = _first(_BROWSERS, agent)
    language = _LANGUAGE.match(headers.get("Accept-Language", "")) if browser else None
    return Client(
        address,
        # A program's system and language are its library's habits, not the client's.
        Traits(
            browser,
            _first(_SYSTEMS, agent) if browser else "",
            language[1].lower() if language else "",
        ),
        is_preview=_PREVIEW.search(agent) is not None,
    )


def network_of(address: str) -> str:
    """An IPv4 address itself, of an IPv6 address the /64 network."""
    parsed = ipaddress.ip_address(address)
    if parsed.version == 4:  # noqa: PLR2004 - IP's own version numbers
        return address
    return str(ipaddress.ip_network((parsed, _IPV6_NETWORK_BITS), strict=False))


def _first(known: tuple[tuple[str, re.Pattern[str]], ...], agent: str) -> str:
    return next((name for name, pattern in known if pattern.search(agent)), "")


def _digest(salt: str, place: int, part: str) -> str:
    if not part:
        return _UNKNOWN
    return blake2b(f"{salt}\0{place}\0{part}".encode(), digest_size=6).hexdigest()
