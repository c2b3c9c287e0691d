"""Where the durable work is kept."""

from countermark.settings import Settings


def workflows_url(settings: Settings) -> str:
    """DBOS's database: beside the catalog, in a file or a schema of its own."""
    if settings.database_url.startswith("sqlite"):
        return f"sqlite:///{settings.data_dir / 'workflows.sqlite'}"
    return settings.database_url
