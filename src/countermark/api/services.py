"""What every call works with, built once for each process from the parts."""

from dataclasses import dataclass

from countermark.api.authorization import Authorization
from countermark.api.catalog_calls import CatalogCalls
from countermark.api.copies import Issuing
from countermark.api.parts import ApiParts
from countermark.api.urls import Urls


@dataclass(frozen=True)
class Services:
    """The parts, and what the API builds on them."""

    parts: ApiParts
    catalog: CatalogCalls
    authorization: Authorization
    urls: Urls
    issuing: Issuing


def build_services(parts: ApiParts) -> Services:
    """Build on the parts."""
    catalog = CatalogCalls(parts.database)
    return Services(
        parts,
        catalog,
        Authorization(catalog, parts.clock),
        Urls(parts.settings.api_url),
        Issuing(catalog),
    )
