"""All files of a report on data: what `mnist data` shows, and what a training's records hold."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from mnist_models.atomic import write_atomically
from mnist_models.data.assembly.validate import CLASSES
from mnist_models.data.dataset import Dataset
from mnist_models.data.report.files import MARKDOWN, PAGE, SHEETS, VALUES, remove_sheets, sheet_names
from mnist_models.data.report.markdown import to_markdown
from mnist_models.data.report.report import DataReport
from mnist_models.figures.data_page import data_page
from mnist_models.figures.plots.contact_sheet import MOST, Choice, as_jpeg, as_png, sheet, titled_sheet

MOST_CLASSES = CLASSES[1]
MOST_ON_PAGE = 2000  # images, so that a browser can show it
WRITERS = 8  # threads, of which most wait for the disk
LEAST = 5  # images of each class even so


def write_report(report: DataReport, dataset: Dataset, folder: Path, most_sheets: int = MOST_CLASSES) -> None:
    """Write the report into `folder`: a page, the same in Markdown and JSON, and a contact sheet of each class.

    Of more than `most_sheets` classes only the first get one; the page shows all. JSON comes last: where it is, the
    report is whole.
    """
    names = sheet_names(report)[:most_sheets]
    remove_sheets(folder, names)

    choice = Choice(dataset)

    def write_sheet(label: int) -> None:
        picture = titled_sheet(choice.of(label), report.classes[label])
        write_atomically(folder / SHEETS / names[label], as_png(picture))

    with ThreadPoolExecutor(WRITERS) as writers:
        list(writers.map(write_sheet, range(len(names))))
    each = min(MOST, max(LEAST, MOST_ON_PAGE // len(report.classes)))
    encode = as_png if report.channels == 1 else as_jpeg
    small = (encode(sheet(chosen, side=64, columns=8)) for chosen in Choice(dataset, each))
    write_atomically(folder / PAGE, data_page(report, small))
    write_atomically(folder / MARKDOWN, to_markdown(report))
    write_atomically(folder / VALUES, json.dumps(report.to_json(), indent=2) + "\n")
