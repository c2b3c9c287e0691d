"""Scopes: what a token or a signature allows."""

from collections.abc import Iterable

ALL = (
    "me",
    "mediahub",
    "mediahub_read",
    "mediahub_write",
    "mediahub_submit_jobs",
    "mediahub_download_files",
    "autograph",
)
_INCLUDES = {"mediahub": ("mediahub_read", "mediahub_write")}

# Any one of these is enough. Who may read files may download them, as with the original service;
# mediahub_download_files alone is for tokens that must not see the listings.
READ = frozenset({"mediahub_read"})
WRITE = frozenset({"mediahub_write"})
DOWNLOAD = frozenset({"mediahub_read", "mediahub_download_files"})
AUTOGRAPH = frozenset({"autograph"})
ME = frozenset({"me", "mediahub_read"})
SUBMIT = frozenset({"mediahub_write", "mediahub_submit_jobs"})
AUTOGRAPH = frozenset({"autograph"})
CHANGE_ME = frozenset({"me"})
READ_PIPELINES = frozenset({"mediahub_read", "mediahub_submit_jobs"})


def effective(scopes: Iterable[str]) -> frozenset[str]:
    """The scopes with those that they include."""
    given = frozenset(scopes)
    return given.union(*(_INCLUDES.get(scope, ()) for scope in given))
