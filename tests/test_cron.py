"""Which cron expressions name a day that there is."""

from datetime import UTC, datetime

import pytest

from mnist_models.errors import InvalidInput
from tasks.config.cron import ever_comes
from tasks.config.settings import load_settings

NEVER = [
    "0 0 30 2 *",
    "0 0 30,31 feb *",
    "0 0 31 4,6,9,11 *",
    "0 0 31 4-6/2 *",
    "0 0 31 2 ?",
    "0 0 30 2 1",
    "5 4 30-31 FEB *",
]
SOMETIMES = ["0 2 * * *", "0 0 29 2 *", "0 0 31 2-3 *", "0 0 28 2 1", "0 0 31 */2 *", "0 0 l 2 *", "0 0 */30 2 *", ""]


@pytest.mark.parametrize("expression", NEVER)
def test_a_day_that_there_is_not_is_refused_when_the_file_is_read(home, expression):
    assert not ever_comes(expression)
    (home / "mlflow.yml").write_text(f"schedule: '{expression}'\n")
    with pytest.raises(InvalidInput, match=r"mlflow.yml: schedule: .* is not allowed: there is no such day"):
        load_settings()


@pytest.mark.parametrize("expression", SOMETIMES)
def test_all_others_are_left_to_prefect(home, expression):
    assert ever_comes(expression)
    (home / "mlflow.yml").write_text(f"schedule: '{expression}'\n")
    assert load_settings().schedule == expression


@pytest.mark.parametrize("expression", [each for each in (*NEVER, *SOMETIMES) if each])
def test_prefects_scheduler_is_of_the_same_opinion(expression):
    from prefect._vendor.croniter import CroniterBadDateError, croniter

    ticks = croniter(expression, datetime(2026, 1, 1, tzinfo=UTC))
    if expression in NEVER:
        with pytest.raises(CroniterBadDateError):
            ticks.get_next()
    else:
        assert ticks.get_next()
