"""Train → evaluate → analyse mistakes, for each training as soon as a trainer is free for it."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any

from prefect import Task
from prefect.futures import PrefectFuture

from mnist_models.data.loader import PreparedData
from mnist_models.recipe_catalog import all_recipes
from tasks.analyse_mistakes import analyse_mistakes
from tasks.compare import Row, row_of
from tasks.evaluate import Evaluated, evaluate_training
from tasks.flow_run.context import FlowRunContext
from tasks.supervision.failures import first_line
from tasks.supervision.training_lock import release_training
from tasks.tracking.outage import is_mlflow_error
from tasks.train import NamedTraining, train_recipe

FOLLOWING: tuple[Task[..., Any], ...] = (evaluate_training, analyse_mistakes)
QUEUED = 1  # tasks that wait for a trainer, so that none is idle while Prefect starts the next


@dataclass(eq=False)
class _Chain:
    """The tasks of one training, and how those that have ended did."""

    named: NamedTraining
    start: "_Chain | None"  # of the training that this one continues
    submitted: bool = False
    results: list[Any] = field(default_factory=list)  # values or exceptions

    @property
    def recipe(self) -> str:
        return self.named.training.recipe.name

    @property
    def is_ready(self) -> bool:
        return not self.submitted and (self.start is None or self.start.is_trained)

    @property
    def is_training(self) -> bool:
        """Whether it has a trainer, or waits for one."""
        return self.submitted and not self.results

    @property
    def is_trained(self) -> bool:
        return bool(self.results) and not isinstance(self.results[0], BaseException)


class TrainingSchedule:
    """Submits what is ready, those with most ahead first: no more at a time than there are trainers for."""

    def __init__(self, context: FlowRunContext, data: PreparedData, force: bool) -> None:
        self._context, self._data, self._force = context, data, force
        self._ended: SimpleQueue[tuple[_Chain, PrefectFuture[Any]]] = SimpleQueue()

    def run(self, trainings: Sequence[NamedTraining]) -> tuple[tuple[Row, ...], dict[str, Evaluated]]:
        """Train, evaluate and analyse all; `trainings` has a start before what continues it.

        Return rows in the recipes' own order, and by name what could be evaluated. Raise what MLflow has raised, if
        it does not know all that was trained: a comparison would leave that out.
        """
        chains: dict[str, _Chain] = {}
        for named in trainings:
            start = named.training.start
            chains[named.training.identity] = _Chain(named, chains[start.identity] if start else None)
        active = 0
        while active := active + self._submit_ready(chains.values()):
            active += self._follow(*self._ended.get())
            self._context.cancellation.check()
        return self._outcomes(chains.values())

    def _submit_ready(self, chains: Collection[_Chain]) -> int:
        """Submit the trainings that there is room for; return how many."""
        # At first no task waits for a trainer, or it could take that of one with more ahead.
        queued = QUEUED if any(chain.results for chain in chains) else 0
        room = self._context.backend.slots + queued - sum(chain.is_training for chain in chains)
        ready = [chain for chain in chains if chain.is_ready][: max(room, 0)]
        for chain in ready:
            chain.submitted = True
            self._submit(chain, train_recipe, self._context, self._data, chain.named, self._force)
        return len(ready)

    def _submit(self, chain: _Chain, task: Task[..., Any], *arguments: Any) -> None:
        name = f"{task.name} {chain.named.name}"
        future: PrefectFuture[Any] = task.with_options(task_run_name=name).submit(*arguments, return_state=False)
        future.add_done_callback(lambda ended: self._ended.put((chain, ended)))

    def _follow(self, chain: _Chain, future: PrefectFuture[Any]) -> int:
        """Note how a task has ended, and submit the next; return by how many that changes the active ones."""
        future.wait()
        result = future.state.result(raise_on_failure=False)
        chain.results.append(result)
        if isinstance(result, BaseException) or len(chain.results) > len(FOLLOWING):
            release_training(self._context, chain.named.training.folder)
            return -1
        self._submit(chain, FOLLOWING[len(chain.results) - 1], self._context, self._data, future)
        return 0

    def _outcomes(self, chains: Iterable[_Chain]) -> tuple[tuple[Row, ...], dict[str, Evaluated]]:
        order = list(all_recipes())
        rows: list[Row] = []
        evaluated: dict[str, Evaluated] = {}
        for chain in sorted(chains, key=lambda each: (order.index(each.recipe), each.named.training.seed)):
            last = chain.results[-1] if chain.results else None
            if isinstance(last, Exception) and is_mlflow_error(last):
                raise last
            if isinstance(last, Evaluated):
                evaluated[chain.named.name] = last
                rows.append(row_of(self._context, last))
            else:
                rows.append(self._failed(chain, last))
        return tuple(rows), evaluated

    def _failed(self, chain: _Chain, error: BaseException | None) -> Row:
        training, name = chain.named.training, chain.named.name
        start = training.start.recipe.name if training.start else ""  # what waits for none has run
        reason = f"{start}, which it continues, has not finished" if error is None else first_line(error)
        run = self._context.child_runs.get(training.folder)
        run_id = run.run_id or None if run else None
        return Row(chain.recipe, training.seed, name, "failed", expected=False, mlflow_run_id=run_id, reason=reason)
