"""How a job can fail, whatever the backend."""

from mnist_models.processes.worker import JobFailed, ProcessDied


class TrainerDied(ProcessDied):
    """The process was killed or crashed. What it had saved is still there, so that a retry resumes."""


class TrainingFailed(JobFailed):
    """The job raised an exception, whose traceback is the message."""


class TrainingCancelled(RuntimeError):
    """The trainings were given up: by Ctrl-C, or because the flow has failed."""
