"""All files of a report on data: what `mnist data` shows, and what a training's records hold."""

import json
from pathlib import Path

from mnist_models.atomic import write_atomically
from mnist_models.data.dataset import Dataset
from mnist_models.data.report.files import MARKDOWN, PAGE, SHEETS, VALUES, remove_sheets, sheet_names
from mnist_models.data.report.markdown import to_markdown
from mnist_models.data.report.report import DataReport
from mnist_models.figures.data_page import data_page
from mnist_models.figures.plots.contact_sheet import MOST, as_jpeg, as_png, chosen_images, sheet, titled_sheet

MOST_ON_PAGE = 2000  # images, so that a browser can show it
LEAST = 5  # images of each class even so


def write_report(report: DataReport, dataset: Dataset, folder: Path) -> None:
    """Write the report into `folder`: a page, the same in Markdown and JSON, and a contact sheet of each class.

    JSON comes last: where it is, the report is whole.
    """
    names = sheet_names(report)
    remove_sheets(folder, names)
    each = min(MOST, max(LEAST, MOST_ON_PAGE // len(report.classes)))
    small = []
    encode = as_png if report.channels == 1 else as_jpeg
    for chosen, few, counts, name in zip(
        chosen_images(dataset), chosen_images(dataset, each), report.classes, names, strict=True
    ):
        write_atomically(folder / SHEETS / name, as_png(titled_sheet(chosen, counts)))
        small.append(encode(sheet(few, side=56, columns=8)))
    write_atomically(folder / PAGE, data_page(report, small))
    write_atomically(folder / MARKDOWN, to_markdown(report))
    write_atomically(folder / VALUES, json.dumps(report.to_json(), indent=2) + "\n")
