"""A token that says whether the work of a flow run has been given up."""

from threading import Event

from mnist_models.trainer_pool.errors import TrainingCancelled


class Cancellation:
    """Given to whoever may have to stop. Once set, it stays set."""

    def __init__(self) -> None:
        self._event = Event()

    def cancel(self) -> None:
        """Give up."""
        self._event.set()

    @property
    def cancelled(self) -> bool:
        """Whether the work has been given up."""
        return self._event.is_set()

    def check(self) -> None:
        """Raise TrainingCancelled if the work has been given up."""
        if self.cancelled:
            raise TrainingCancelled("the training was given up; it can be resumed")
