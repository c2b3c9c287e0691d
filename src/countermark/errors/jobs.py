"""What can be wrong with jobs and backtraces; some are only ever the error of one."""

from countermark.errors.base import PublicError


class InvalidJobInputError(PublicError):
    """A parameter or body of the Jobs resource is wrong."""

    status, code, message = 400, "0x0220001", "Invalid Input"


class JobNotFoundError(PublicError):
    """The job does not exist, or is another user's."""

    status, code, message = 404, "0x0220002", "Requested job does not exist"


class JobStateError(PublicError):
    """The job is not in a state in which this can be done to it."""

    status, code, message = 409, "0x0220003", "Not possible in this state of the job"


class JobCancelledError(PublicError):
    """The job was cancelled; only ever the error of a job."""

    status, code, message = 409, "0x0220004", "Job cancelled"
    advice = "The job was cancelled. Retry it if it is needed after all."


class JobOverdueError(PublicError):
    """The job waited longer than its pipeline allows; only ever the error of a job."""

    status, code, message = 409, "0x0220005", "Job waited too long"
    advice = (
        "The job waited longer than the pipeline's cancel_timeout. Retry it, or allow more time."
    )


class JobInputMissingError(PublicError):
    """The job's input is not in the store."""

    status, code, message = 404, "0x0220006", "Input does not exist"
    advice = "Upload the input, then create the job again."


class JobUnstableError(PublicError):
    """Worker after worker died over the job; only ever the error of a job."""

    status, code, message = 500, "0x0220007", "Job could not be finished"
    advice = "The workers that tried it ended unexpectedly, again and again. Try another input."


class JobBrokenError(PublicError):
    """Something of the service failed; only ever the error of a job."""

    status, code, message = 500, "0x0220008", "Job failed by the service"
    advice = "The service itself failed over the job; its log says why. Retry the job."


class InvalidBacktraceInputError(PublicError):
    """A parameter or field of a backtrace is wrong."""

    status, code, message = 400, "0x02a0001", "Invalid Input"


class BacktraceNotFoundError(PublicError):
    """The backtrace does not exist, or is another user's."""

    status, code, message = 404, "0x02a0002", "Requested backtrace does not exist"


class BacktraceInputMissingError(PublicError):
    """The leak that was to be traced is not there any more."""

    status, code, message = 422, "0x02a0003", "Input missing"
    advice = "Upload the leak again, then ask for a new backtrace."
