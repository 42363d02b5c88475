"""`python -m flows.deploy.flow_run`: a flow run of a deployment, by Prefect's engine, with the flows of this project.

The engine imports a flow with the current folder before all others, where a folder `tasks` or a file `keras.py` of the
user's may lie. What is imported already it does not look for.
"""

import logging
import runpy
import warnings


def main() -> None:
    """Run the flow run that Prefect's runner names in the environment."""
    try:
        import flows.predict
        import flows.train  # noqa: F401
    except Exception:  # the engine meets it too, and reports it
        logging.getLogger(__name__).debug("the flows cannot be imported", exc_info=True)
    warnings.filterwarnings("ignore", category=RuntimeWarning, module="runpy")  # that Prefect has imported it already
    runpy.run_module("prefect.engine", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
