"""`python -m flows` is `mnist`."""

from flows.cli import main

main()
