"""The way into the worker's queue from processes that run no workflows.

The queue only saves time. What is to be done stands in the catalog (an upload that is
COMPLETING), and the worker looks there, too; so a lost nudge costs a minute, not a file.
"""

from collections.abc import Sequence

from dbos import DBOS, DBOSClient

from countermark.work.parts import (
    APPLICATION,
    BACKTRACE_QUEUE,
    BACKTRACE_WORKFLOW,
    INGEST_QUEUE,
    INGEST_WORKFLOW,
)

ENDED_STATES = ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]


class WorkQueue:
    """Puts workflows on the queue; safe to use from several threads."""

    def __init__(self, system_database_url: str) -> None:
        self._client = DBOSClient(
            system_database_url=system_database_url, application_name=APPLICATION
        )

    def ingest(self, upload_id: str) -> None:
        """Ask for the ingest of an upload; asking again does nothing."""
        self._enqueue(INGEST_QUEUE, INGEST_WORKFLOW, ingest_id(upload_id), upload_id)

    def backtrace(self, backtrace_id: str) -> None:
        """Ask for a trace; asking again does nothing."""
        workflow_id = trace_id(backtrace_id)
        self._enqueue(BACKTRACE_QUEUE, BACKTRACE_WORKFLOW, workflow_id, backtrace_id)

    def _enqueue(self, queue: str, workflow: str, workflow_id: str, argument: str) -> None:
        self._client.enqueue(
            {"queue_name": queue, "workflow_name": workflow, "workflow_id": workflow_id}, argument
        )

    def close(self) -> None:
        """Give the connections back."""
        self._client.destroy()


def ingest_id(upload_id: str) -> str:
    """The workflow id of an upload's ingest: one upload is ingested once."""
    return f"ingest-{upload_id}"


def trace_id(backtrace_id: str) -> str:
    """The workflow id of a backtrace: one is traced once."""
    return f"backtrace-{backtrace_id}"


def forget_ended(workflow_ids: Sequence[str]) -> None:
    """Forget those of the workflows that have ended, so that they can start anew.

    For what still waits although its workflow has ended: that met something unforeseen, such as a
    full disk under its own database.
    """
    ended = DBOS.list_workflows(
        workflow_ids=list(workflow_ids), status=ENDED_STATES, load_input=False, load_output=False
    )
    if ended:
        DBOS.delete_workflows([workflow.workflow_id for workflow in ended])
