"""Row 22: killed while MLflow's or Prefect's database is made, or upgraded from an older schema."""

import sqlite3
from contextlib import closing, suppress

import pytest
from fault_place import Place
from fault_report import recovering
from older_databases import FILES, make_old, prepare, records
from waiting import assert_gone, family, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

MOST_BYTES = 2_500_000  # of both databases when they are made, about


def written(home):
    """Bytes of all that is made or renamed of both databases."""
    total = 0
    for file in [*home.glob("state/**/*.db*"), *home.glob("prefect/**/*.db*")]:
        with suppress(FileNotFoundError):
            total += file.stat().st_size
    return total


@pytest.mark.faults
@pytest.mark.fault(22)
def test_a_first_start_killed_at_a_random_moment_is_made_good_by_the_next(tmp_path, chance, injection):
    """No server but its own, and no store: both are made meanwhile."""
    place, size = Place(tmp_path / "home", None), chance.randrange(MOST_BYTES)
    process = place.train("small")
    wait_for(lambda: written(place.home) >= size or process.poll() is not None)
    everyone = family(process.pid)
    for each in everyone:  # the temporary server is in a group of its own, and would go on to the end
        each.kill()
    process.wait()
    assert_gone(everyone)
    with recovering(injection):
        status, output = place.finish("small")
    assert status == 0, output
    assert place.query("select distinct status from runs") == [("FINISHED",)] or process.returncode == 0
    assert len(place.versions()) == 1
    assert "What is wrong" not in place.run("doctor")[1]


@pytest.fixture(scope="session")
def statements(tmp_path_factory):
    """For each library, a database of an older schema, and the number of statements that upgrade it."""
    found = {}
    for library in FILES:
        home = tmp_path_factory.mktemp(library)
        kept = make_old(library, home).read_bytes()
        found[library] = (kept, prepare(library, home))
    return found


@pytest.mark.faults
@pytest.mark.fault(22)
@pytest.mark.parametrize("library", FILES)
def test_an_upgrade_killed_at_a_random_statement_is_made_good_by_the_next(
    library, tmp_path, statements, chance, injection
):
    old, count = statements[library]
    file = tmp_path / FILES[library]
    file.parent.mkdir()
    file.write_bytes(old)
    before = records(library, tmp_path)
    assert prepare(library, tmp_path, killed_at=chance.randrange(1, count + 1)) is None
    with recovering(injection):
        assert prepare(library, tmp_path)
    assert records(library, tmp_path) == before
    with closing(sqlite3.connect(file)) as database:
        assert database.execute("pragma integrity_check").fetchone() == ("ok",)
