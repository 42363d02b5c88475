"""`mnist`, and `python -m flows`: the command as a process of its own."""

import sys


def main() -> None:
    """Run `mnist`; Ctrl-C ends it with one line at any moment, also while its modules are imported."""
    try:
        from mnist_models.processes.import_path import leave_out_current_folder

        leave_out_current_folder()
        from flows.cli.process import run_as_process

        run_as_process(_command)
    except KeyboardInterrupt:
        print("mnist: interrupted", file=sys.stderr)
        sys.exit(130)


def _command() -> int:
    from flows.cli.app import run

    return run()


if __name__ == "__main__":
    main()
