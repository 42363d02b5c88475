"""What tests of faults share: a Prefect server, a place for each, and what comes of it all without a fault."""

import random

import pytest
from fault_moments import random_moment
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
    """Trained without a fault."""
    place = Place(tmp_path_factory.mktemp("control") / "home", empty_store, PREFECT_API_URL=api)
    status, output = place.finish(",".join(THREE))
    assert status == 0, output
    return place


@pytest.fixture
def moment(request, point, chance, control):
    """A moment of such a command; another for each point, in an order that the seed decides."""
    order = random.Random(f"{request.config.getoption('--fault-seed')} {request.node.originalname}")
    return random_moment(order, point, chance, control)


@pytest.fixture
def place(api, empty_store, tmp_path):
    """A place of a test's own."""
    place = Place(tmp_path / "home", empty_store, PREFECT_API_URL=api)
    yield place
    place.end()
