"""A token that says whether the work of a flow run has been given up."""

from mnist_models.trainer_pool.errors import TrainingCancelled


class Cancellation:
    """Given to whoever may have to stop. Once set, it stays set."""

    cancelled = False

    def cancel(self) -> None:
        """Give up."""
        self.cancelled = True

    def check(self) -> None:
        """Raise TrainingCancelled if the work has been given up."""
        if self.cancelled:
            raise TrainingCancelled("the training was given up; it can be resumed")
