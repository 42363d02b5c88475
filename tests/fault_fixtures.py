"""What tests of faults share: a Prefect server, a place for each, and what comes of it all without a fault."""

import time

import pytest
from fault_place import Place

THREE = ["small", "small_best", "middle"]


@pytest.fixture(scope="session")
def api(prefect_server):
    """A server that all places share, with slots for more than there are: a killed flow's come back after a minute."""
    from prefect.client.orchestration import get_client
    from prefect.settings import PREFECT_API_URL

    from tasks.supervision.trainer_slots import limit_name

    with get_client(sync_client=True) as client:
        client.upsert_global_concurrency_limit_by_name(limit_name(), 1000)
    return PREFECT_API_URL.value()


@pytest.fixture(scope="session")
def control(api, empty_store, tmp_path_factory):
    """Trained without a fault; knows how many seconds that takes."""
    place = Place(tmp_path_factory.mktemp("control") / "home", empty_store, PREFECT_API_URL=api)
    began = time.monotonic()
    status, output = place.finish(",".join(THREE))
    assert status == 0, output
    place.seconds = time.monotonic() - began
    return place


@pytest.fixture
def places(api, empty_store, tmp_path):
    """Makes places of a test's own."""
    made = []

    def make():
        made.append(Place(tmp_path / f"home-{len(made)}", empty_store, PREFECT_API_URL=api))
        return made[-1]

    yield make
    for place in made:
        place.end()


@pytest.fixture
def place(places):
    """A place of a test's own."""
    return places()
