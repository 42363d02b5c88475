"""`mnist …`: a thin front on the flows. Everything heavy is imported only by the command that needs it."""

import sys
from typing import Annotated, NoReturn

import typer

from flows.cli.commands import Commands, PipeBroken, complete_recipes, complete_suite
from flows.cli.ending import end
from mnist_models import __version__
from mnist_models.errors import InvalidInput
from mnist_models.processes.import_path import leave_out_current_folder
from tasks.config.library_defaults import set_defaults

MODEL = typer.Option(help="The registered model [default: the one in mlflow.yml].")
IMAGE_SIZE = typer.Option(help="The side in pixels to which images are brought [default: own].")
CROP = typer.Option("--crop", help="Cut images to size instead of adding margins.")
TRANSPOSED = typer.Option("--transposed", help="Exchange rows and columns, as for EMNIST.")
JSON = typer.Option("--json", help="Print JSON instead of a table.")

app = typer.Typer(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Train, compare and promote image classifiers: Prefect runs it, TensorFlow trains, MLflow remembers.",
)


def _print_version(flag: bool) -> None:
    if flag:
        typer.echo(f"mnist {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Take the options that stand before a command."""


@app.command()
def train(
    suite: Annotated[
        str, typer.Option(help="A named list of recipes: quick, notebook or all.", autocompletion=complete_suite)
    ] = "quick",
    recipes: Annotated[
        str | None,
        typer.Option(
            help="Recipes instead of a suite, with commas between them.",
            show_default=False,
            autocompletion=complete_recipes,
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="The first seed; the same seed gives the same result.")] = 0,
    seeds: Annotated[int, typer.Option(help="Repeats of each recipe, with consecutive seeds.")] = 1,
    data: Annotated[
        str,
        typer.Option(
            help="Images by class in folders, a table, an archive, an .npz file, IDX, or NAME[@3] [default: MNIST]."
        ),
    ] = "",
    image_size: Annotated[int, IMAGE_SIZE] = 0,
    crop: Annotated[bool, CROP] = False,
    transposed: Annotated[bool, TRANSPOSED] = False,
    promote: Annotated[bool, typer.Option(help="Whether the best may become the champion.")] = True,
    force: Annotated[bool, typer.Option("--force", help="Train again what is already trained.")] = False,
    summary: Annotated[str, typer.Option(help="A file to write a JSON summary to.")] = "",
    model: Annotated[str, MODEL] = "",
    replace: Annotated[bool, typer.Option("--replace", help="Let it replace a champion of another problem.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would be reused, resumed and trained, and how long.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what --dry-run shows as JSON.")] = False,
) -> None:
    """Train recipes, compare them, and promote the best if it deserves it."""
    if as_json and not dry_run:
        raise InvalidInput("--json: goes with --dry-run; of a training, `--summary FILE` writes the result as JSON.")
    names = [name.strip() for name in (recipes or "").split(",") if name.strip()]
    if recipes is not None and not names:
        raise InvalidInput("recipes: give at least one name, with commas between several.")
    options = {"seed": seed, "seeds": seeds, "data": data, "promote": promote, "force": force, "summary": summary}
    options |= {"model": model, "replace": replace}
    options |= {"image_size": image_size, "crop": crop, "transposed": transposed}
    parameters = {"suite": suite, "recipes": names, **options}
    if dry_run:
        from flows.cli.dry_run import run_dry

        raise typer.Exit(run_dry(parameters, as_json))
    from flows.cli.launch import run_train

    raise typer.Exit(run_train(parameters))


@app.command()
def data(
    arguments: Annotated[
        list[str] | None,
        typer.Argument(
            help="What --data takes (nothing: the official MNIST); or add NAME PATH..., log NAME, remove NAME IMAGE...",
            metavar="PATH | ACTION NAME ...",
            show_default=False,
        ),
    ] = None,
    image_size: Annotated[int, IMAGE_SIZE] = 0,
    crop: Annotated[bool, CROP] = False,
    transposed: Annotated[bool, TRANSPOSED] = False,
    output: Annotated[str, typer.Option(help="A folder to write the report to [default: one below state/].")] = "",
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Look at data: classes, sizes, copies, doubts, pictures. Or keep data sets that grow: add, log, remove."""
    what, *more = arguments or [""]
    name, *others = more or [""]
    if what == "add":
        from flows.cli.data.sets import run_add

        raise typer.Exit(run_add(name, others, transposed))
    if what == "remove":
        from flows.cli.data.sets import run_remove

        raise typer.Exit(run_remove(name, others))
    if what == "log":
        from flows.cli.data.log import run_log

        raise typer.Exit(run_log(name, as_json))
    if more:
        raise InvalidInput(f"data: give one path, not {len(more) + 1}.")
    from flows.cli.data.report import run_report
    from mnist_models.data.options import DataOptions

    raise typer.Exit(run_report(what, DataOptions(image_size, crop, transposed), output, as_json))


@app.command()
def recipes(as_json: Annotated[bool, JSON] = False) -> None:
    """List what can be trained, with one line each."""
    from flows.cli.recipes import print_recipes

    print_recipes(as_json)


@app.command()
def predict(
    files: Annotated[
        list[str],
        typer.Argument(
            help="Images of any size and common format, folders of them, or patterns in quotes.", metavar="FILE..."
        ),
    ],
    model: Annotated[str, MODEL] = "",
    as_json: Annotated[bool, JSON] = False,
    output: Annotated[
        str, typer.Option(help="A file to write to instead: CSV, or JSON lines if it ends with .jsonl.")
    ] = "",
) -> None:
    """Tell what the champion sees in images."""
    from flows.cli.predict import run_predict

    raise typer.Exit(run_predict(files, as_json, model, output))


@app.command()
def export(
    version: Annotated[str, typer.Argument(help="The number of a registered version, or its alias such as champion.")],
    format: Annotated[str, typer.Option("--format", help="keras, saved_model, onnx, tflite or tflite-int8.")] = "keras",
    output: Annotated[
        str, typer.Option(help="The file, or for saved_model the folder, to write [default: MODEL-VERSION].")
    ] = "",
    model: Annotated[str, MODEL] = "",
    data: Annotated[str, typer.Option(help="The data set that it was tested on, if it is not kept here.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a sentence.")] = False,
) -> None:
    """Write a registered version in a format of other programs, and check that both say the same."""
    from flows.cli.export import run_export

    raise typer.Exit(run_export(version, format, output, model, data, as_json))


@app.command()
def sync() -> None:
    """Send to MLflow what it could not take: nothing is trained again."""
    from flows.cli.sync import run_sync

    raise typer.Exit(run_sync())


@app.command()
def up(host: Annotated[str, typer.Option(help="The address to listen on [default: host in mlflow.yml].")] = "") -> None:
    """Start Prefect's and MLflow's servers and the deployments; Ctrl-C ends them all."""
    from flows.cli.up import run_up

    raise typer.Exit(run_up(host))


@app.command()
def status(as_json: Annotated[bool, JSON] = False) -> None:
    """Show the champion, the last runs of each deployment, what is running and what waits."""
    from flows.cli.launch import run_status

    raise typer.Exit(run_status(as_json))


@app.command()
def doctor(as_json: Annotated[bool, JSON] = False) -> None:
    """Show how this machine trains and why, what is wrong with it, and what to do."""
    from flows.cli.doctor import print_diagnosis

    raise typer.Exit(print_diagnosis(as_json))


def main() -> NoReturn:
    """Run a command; what the user got wrong is one sentence and exit status 2, everything else that goes wrong 1."""
    end(run)


def run() -> int:
    """Run the command that the arguments ask for; return the exit status, or raise InvalidInput if there is none."""
    leave_out_current_folder()
    set_defaults()
    try:
        status = app(sys.argv[1:] or ["--help"], standalone_mode=False)
    except typer.TyperException as error:
        # Those for a wrong command line name the option only in their formatted message.
        raise InvalidInput(error.format_message() if isinstance(error, typer.BadParameter) else str(error)) from None
    except PipeBroken as error:
        raise error.cause from None
    return status if isinstance(status, int) else 0
