"""`python -m flows` is `mnist`."""

from flows.cli.app import main

main()
