"""Opens the store that a storage URL names."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from countermark.errors import SettingsError
from countermark.storage.local import LocalStore
from countermark.storage.port import Store
from countermark.storage.s3 import S3Store


def open_store(url: str) -> Store:
    """Open `file:///FOLDER` or `s3://BUCKET/PREFIX?endpoint=URL&region=NAME`.

    Raises:
        SettingsError: the URL cannot be used.
    """
    parts = urlsplit(url)
    if parts.scheme == "s3":
        return S3Store(url)
    if parts.scheme == "file" and parts.netloc in {"", "localhost"} and parts.path:
        return LocalStore(Path(unquote(parts.path)))
    raise SettingsError(
        f"COUNTERMARK_STORAGE_URL is {url!r}; accepted: file:///FOLDER with three slashes, or"
        " s3://BUCKET/PREFIX?endpoint=URL&region=NAME"
    )
