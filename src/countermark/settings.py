"""Every setting, its default and its check.

One frozen object. Environment variables `COUNTERMARK_*` win over a TOML file (named by
`COUNTERMARK_CONFIG`; its keys are the variables without the prefix, in lower case), which wins
over the defaults. A wrong value stops the start with the variable's name, the value, and what is
accepted. docs/settings.md lists them all; a test holds the two together.
"""

import ipaddress
import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from countermark.errors import SettingsError

PREFIX = "COUNTERMARK_"
CONFIG_VARIABLE = PREFIX + "CONFIG"

_PASSWORD = re.compile(r"(://[^/@:]*:)[^/@]*@")

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def _folder(text: str) -> Path:
    return Path(_text(text)).expanduser().absolute()


def _text(text: str) -> str:
    if not text.strip() or "\0" in text:
        raise ValueError
    return text.strip()


def _port(text: str) -> int:
    port = int(text)
    if not 1 <= port <= 65535:  # noqa: PLR2004 - the range of TCP ports
        raise ValueError
    return port


def _port_or_none(text: str) -> int:
    return 0 if text == "0" else _port(text)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def _url_of(*schemes: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        # SQLAlchemy's dialect+driver form counts as its dialect.
        if urlsplit(_text(text)).scheme.split("+")[0] not in schemes:
            raise ValueError
        return text.strip()

    return parse


def _base_url(text: str) -> str:
    parts = urlsplit(_text(text))
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ValueError
    return text.strip().rstrip("/")


def _networks(text: str) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip())


def _one_of(*accepted: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text.lower() not in accepted:
            raise ValueError
        return text.lower()

    return parse


def _setting(default: Any, parse: Callable[[str], Any], accepted: str) -> Any:
    return field(default=default, metadata={"parse": parse, "accepted": accepted})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All settings, checked. Derived ones (URLs left empty) are filled by `load`."""

    data_dir: Path = _setting(Path("countermark-data").absolute(), _folder, "a folder's path")
    database_url: str = _setting(
        "",
        _url_of("sqlite", "postgresql"),
        "sqlite:///PATH or postgresql://USER:PASSWORD@HOST/NAME",
    )
    storage_url: str = _setting(
        "", _url_of("file", "s3"), "file:///FOLDER or s3://BUCKET/PREFIX?endpoint=URL&region=NAME"
    )
    ledger_url: str = _setting(
        "", _url_of("sqlite", "valkey", "valkeys"), "sqlite:///PATH or valkey://HOST:PORT/NUMBER"
    )
    host: str = _setting("127.0.0.1", _text, "an address of this machine to listen on")
    api_port: int = _setting(8080, _port, "a TCP port, 1 to 65535")
    edge_port: int = _setting(8081, _port, "a TCP port, 1 to 65535")
    metrics_port: int = _setting(0, _port_or_none, "a TCP port, 1 to 65535, or 0 for none")
    api_url: str = _setting("", _base_url, "the API's public base, http(s)://HOST[:PORT][/PATH]")
    edge_url: str = _setting("", _base_url, "the edge's public base, http(s)://HOST[:PORT][/PATH]")
    trusted_proxies: tuple[Network, ...] = _setting(
        (), _networks, "networks in CIDR form, separated by commas, such as 10.0.0.0/8"
    )
    link_lifetime: int = _setting(86_400, _positive, "seconds, 1 or more")
    upload_lifetime: int = _setting(86_400, _positive, "seconds, 1 or more")
    resume_window: int = _setting(3600, _positive, "seconds, 1 or more")
    ledger_down: str = _setting("refuse", _one_of("refuse", "allow"), "refuse or allow")
    internal_addresses: str = _setting("refuse", _one_of("refuse", "allow"), "refuse or allow")
    max_upload_bytes: int = _setting(1 << 40, _positive, "bytes, 1 or more")
    worker_timeout: int = _setting(30, _positive, "seconds, 1 or more")
    job_slots: int = _setting(2, _positive, "a number, 1 or more")
    job_seconds: int = _setting(43_200, _positive, "seconds, 1 or more")
    job_memory_bytes: int = _setting(6 << 30, _positive, "bytes, 1 or more")
    job_output_bytes: int = _setting(1 << 40, _positive, "bytes, 1 or more")
    idle_seconds: int = _setting(60, _positive, "seconds, 1 or more")
    max_connections: int = _setting(10_000, _positive, "a number, 1 or more")
    log_level: str = _setting(
        "info", _one_of("debug", "info", "warning", "error"), "debug, info, warning or error"
    )


def load(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the environment and the TOML file, check everything, fill what derives.

    Raises:
        SettingsError: a value is wrong, a name is unknown, or the file cannot be read.
    """
    given = {**_from_file(environ), **_from_environment(environ)}
    known = {item.name: item for item in fields(Settings)}
    values = {}
    for name, text in given.items():
        if name not in known:
            raise SettingsError(f"{PREFIX}{name.upper()} is not a setting; see docs/settings.md")
        values[name] = _parse(name, text, known[name].metadata)
    return _derive(Settings(**values))


def environment_of(settings: Settings) -> dict[str, str]:
    """The variables that make a child process load these same settings."""
    variables = {}
    for item in fields(settings):
        value = getattr(settings, item.name)
        text = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
        variables[PREFIX + item.name.upper()] = text
    return variables


def _parse(name: str, text: str, metadata: Mapping[str, Any]) -> Any:
    try:
        return metadata["parse"](text)
    except ValueError as error:
        raise SettingsError(
            f"{PREFIX}{name.upper()} is {_shown(text)}; accepted: {metadata['accepted']}"
        ) from error


def _shown(text: str) -> str:
    """The value as a message may carry it: without the password of a URL."""
    return repr(_PASSWORD.sub(r"\1***@", text))


def _from_environment(environ: Mapping[str, str]) -> dict[str, str]:
    return {
        key.removeprefix(PREFIX).lower(): value
        for key, value in environ.items()
        # An empty variable is how compose files and shells say "not set".
        if key.startswith(PREFIX) and key != CONFIG_VARIABLE and value != ""
    }


def _from_file(environ: Mapping[str, str]) -> dict[str, str]:
    path = environ.get(CONFIG_VARIABLE)
    if not path:
        return {}
    try:
        document = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(
            f"{CONFIG_VARIABLE} is {path!r}; accepted: a TOML file: {error}"
        ) from error
    return {
        key: ",".join(map(str, value)) if isinstance(value, list) else str(value)
        for key, value in document.items()
    }


def _derive(settings: Settings) -> Settings:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    # A wildcard is where to listen, not where to call.
    if settings.host in {"0.0.0.0", "::"}:  # noqa: S104 - compared, not bound
        host = "127.0.0.1"
    derived: dict[str, Any] = {
        "database_url": f"sqlite:///{settings.data_dir / 'catalog.sqlite'}",
        "storage_url": (settings.data_dir / "blobs").as_uri(),
        "ledger_url": f"sqlite:///{settings.data_dir / 'ledger.sqlite'}",
        "api_url": f"http://{host}:{settings.api_port}",
        "edge_url": f"http://{host}:{settings.edge_port}",
    }
    filled = {name: getattr(settings, name) or value for name, value in derived.items()}
    return replace(settings, **filled)
