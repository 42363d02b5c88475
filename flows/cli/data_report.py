"""`mnist data PATH`: what is there, before anything is trained on it."""

from mnist_models.errors import InvalidInput


def run_report(path: str, **_options: object) -> int:
    """Print the report; return the exit status."""
    raise InvalidInput(f"data: {path}: there is no report yet; `mnist data add` and `mnist data log` are there.")
