"""Which files of tests begin first: those that take longest, so that two workers end at about the same time.

For `pytest -n 2 --dist loadfile --no-loadscope-reorder`, which gives the next file to whoever is free.
"""

LONGEST_FIRST = (
    "test_faults_kills.py",
    "test_flow.py",
    "test_main_job.py",
    "test_flow_faults.py",
    "test_up.py",
    "test_networks.py",
    "test_trainer_pool.py",
    "test_training.py",
    "test_serving_champion.py",
)


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: _place(item.path.name))


def _place(name):
    return LONGEST_FIRST.index(name) if name in LONGEST_FIRST else len(LONGEST_FIRST)
