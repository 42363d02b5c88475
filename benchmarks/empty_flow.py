"""A Prefect flow that does nothing: what Prefect itself takes, server and all."""

from prefect import flow


@flow
def empty() -> None:
    """Nothing."""


if __name__ == "__main__":
    empty()
