"""Training jobs and prediction servers: processes that outlive the server and are found again."""

from emulator.jobs.jobs import Jobs
from emulator.jobs.spec import Ending, JobSpec

__all__ = ["Ending", "JobSpec", "Jobs"]
