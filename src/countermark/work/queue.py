"""The way into the worker's queue from processes that run no workflows.

The queue only saves time. What is to be done stands in the catalog (an upload that is
COMPLETING), and the worker looks there, too; so a lost nudge costs a minute, not a file.
"""

from dbos import DBOSClient

from countermark.work.parts import APPLICATION, INGEST_QUEUE, INGEST_WORKFLOW


class WorkQueue:
    """Puts workflows on the queue; safe to use from several threads."""

    def __init__(self, system_database_url: str) -> None:
        self._client = DBOSClient(
            system_database_url=system_database_url, application_name=APPLICATION
        )

    def ingest(self, upload_id: str) -> None:
        """Ask for the ingest of an upload; asking again does nothing."""
        self._client.enqueue(
            {
                "queue_name": INGEST_QUEUE,
                "workflow_name": INGEST_WORKFLOW,
                "workflow_id": ingest_id(upload_id),
            },
            upload_id,
        )

    def close(self) -> None:
        """Give the connections back."""
        self._client.destroy()


def ingest_id(upload_id: str) -> str:
    """The workflow id of an upload's ingest: one upload is ingested once."""
    return f"ingest-{upload_id}"
