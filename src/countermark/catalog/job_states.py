"""The states of a job and the ways between them.

    QUEUED ──▶ DOWNLOADING ──▶ ENCODING ──▶ UPLOADING ──▶ SUCCESS
      ▲ │           │              │             │
      │ └───────────┴──────▶ FAILURE ◀───────────┘
      └──────── retry ──────────┘

Clients wait for SUCCESS or FAILURE, so a job that was cancelled is a FAILURE, too; its error code
tells it apart. A job that runs goes back to QUEUED when nobody works on it any more.
"""

from typing import Literal, get_args

JobStatus = Literal["QUEUED", "DOWNLOADING", "ENCODING", "UPLOADING", "SUCCESS", "FAILURE"]

STATUSES: tuple[JobStatus, ...] = get_args(JobStatus)
RUNNING: frozenset[JobStatus] = frozenset({"DOWNLOADING", "ENCODING", "UPLOADING"})
ENDED: frozenset[JobStatus] = frozenset({"SUCCESS", "FAILURE"})
UNFINISHED: frozenset[JobStatus] = frozenset({"QUEUED", *RUNNING})

_NEXT: dict[JobStatus, frozenset[JobStatus]] = {
    "QUEUED": frozenset({"DOWNLOADING", "FAILURE"}),
    "DOWNLOADING": frozenset({"ENCODING", "FAILURE", "QUEUED"}),
    "ENCODING": frozenset({"UPLOADING", "FAILURE", "QUEUED"}),
    # One output may be on its way while the next is still to be made.
    "UPLOADING": frozenset({"SUCCESS", "FAILURE", "QUEUED", "ENCODING"}),
    "SUCCESS": frozenset(),
    "FAILURE": frozenset({"QUEUED"}),
}


def sources(status: JobStatus) -> frozenset[JobStatus]:
    """The states from which a job may come to this one.

    A state that lasts may also be entered again, since a step that was cut off is done again.
    """
    ways = {before for before, after in _NEXT.items() if status in after}
    return frozenset(ways | ({status} & RUNNING))
