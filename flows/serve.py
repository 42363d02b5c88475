"""`python -m flows.serve`: the process that registers the deployments and starts their runs."""

import os

from tasks.environment import set_defaults


def main() -> None:
    """Serve until the end."""
    set_defaults()
    from prefect import serve

    from flows.deployments import deployments
    from tasks.reachable import wait_until_answers
    from tasks.settings import load_settings

    wait_until_answers(f"{os.environ['PREFECT_API_URL']}/health", 180)
    # Whoever stops serving does not want to stop the schedule: what is missed meanwhile is caught up.
    serve(*deployments(load_settings()), pause_on_shutdown=False, print_starting_message=False)


if __name__ == "__main__":
    main()
