"""Absolute URLs of resources."""

import re
from functools import lru_cache

from countermark.api.resources import Reference

# References repeat: a page of a thousand files names one user and a few pipelines.
_REMEMBERED = 4096
_PASSWORD = re.compile(r"^([a-z][a-z0-9+.-]*://[^/@:]*:)[^/@]*@", re.IGNORECASE)
# A presigned URL's signature, or a token, stands in its query.
_QUERY = re.compile(r"^(https?://[^?#]*\?).+", re.IGNORECASE | re.DOTALL)


class Urls:
    """Makes URLs under the API's public base."""

    def __init__(self, api_url: str) -> None:
        self.base = f"{api_url}/v1"
        self.reference = lru_cache(_REMEMBERED)(self._reference)

    def _reference(self, collection: str, resource_id: str) -> Reference:
        return Reference(resource_id, f"{self.base}/{collection}/{resource_id}")

    def href(self, collection: str, resource_id: str) -> str:
        """Where a resource is, such as the file of this id."""
        return f"{self.base}/{collection}/{resource_id}"

    def download(self, file_id: str) -> str:
        """Where a file's download link is asked for."""
        return f"{self.base}/files/downloads/?file_id={file_id}"


def without_password(uri: str) -> str:
    """A URI as it may be shown: its password is three asterisks."""
    return _PASSWORD.sub(r"\1***@", uri)


def without_secrets(uri: str) -> str:
    """The address of a file as it may be shown: nor is the query of HTTP, but three asterisks."""
    return _QUERY.sub(r"\1***", without_password(uri))
