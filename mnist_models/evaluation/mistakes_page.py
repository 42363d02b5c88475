"""The images that a classifier gets wrong, as a table and as a page."""

from base64 import b64encode
from collections.abc import Sequence
from html import escape
from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from PIL import Image

from mnist_models.evaluation.metrics import Labels, Probabilities, mistake_indices
from mnist_models.evaluation.predicted_class import predicted


def mistakes_table(
    probabilities: Probabilities,
    labels: Labels,
    images: npt.NDArray[np.uint8],
    class_names: Sequence[str],
    limit: int = 1000,
) -> pd.DataFrame:
    """Return the wrongly classified images as a table of at most `limit` rows, the most confident mistakes first.

    Probabilities are float32 [n, k], of which rows of NaN are predicted as class 0 and come last; labels are int32 [n],
    each from 0 to k - 1; images uint8 [n, h, w] or [n, h, w, 3]; class names [k]. The table's columns are index (of the
    image), label, prediction (int64), label_name, prediction_name, confidence, label_probability (float64, 0 to 1 or
    NaN), and image (a PNG as data URI). Its `attrs` hold the number of all "mistakes" and of "images". Raise
    InvalidInput as `metrics.evaluate` does.
    """
    mistakes = mistake_indices(probabilities, labels)
    rows = mistakes[:limit]
    prediction = predicted(probabilities[rows])
    table = pd.DataFrame(
        {
            "index": rows,
            "label": labels[rows].astype(np.int64),
            "prediction": prediction,
            "label_name": pd.Series([class_names[label] for label in labels[rows]], dtype=object),
            "prediction_name": pd.Series([class_names[answer] for answer in prediction], dtype=object),
            "confidence": probabilities[rows, prediction].astype(np.float64),
            "label_probability": probabilities[rows, labels[rows]].astype(np.float64),
            "image": pd.Series([data_uri(images[index]) for index in rows], dtype=object),
        }
    )
    table.attrs = {"mistakes": len(mistakes), "images": len(labels)}
    return table


def data_uri(image: npt.NDArray[np.uint8]) -> str:
    """Return an image, uint8 [h, w] or [h, w, 3], as a PNG in base64, such as pages hold."""
    buffer = BytesIO()
    Image.fromarray(image).save(buffer, "PNG")
    return f"data:image/png;base64,{b64encode(buffer.getvalue()).decode()}"


def mistakes_html(table: pd.DataFrame) -> str:
    """Return a self-contained HTML page with a card for each row of a `mistakes_table`."""
    mistakes, images = table.attrs["mistakes"], table.attrs["images"]
    heading, remark = f"No mistakes among {images:,} test images", ""
    if mistakes:
        heading = f"{mistakes:,} mistake{'s' if mistakes > 1 else ''}, {100 * mistakes / images:.2f} % of {images:,}"
        remark = "The most confident first."
    if len(table) < mistakes:
        remark = f"The {len(table):,} most confident, in this order."
    cards = "\n".join(_card(row) for row in table.itertuples(index=False, name=None))
    return PAGE.replace("{{heading}}", heading).replace("{{remark}}", remark).replace("{{cards}}", cards)


def _card(row: tuple[Any, ...]) -> str:
    index, _, _, *names, confidence, label_probability, image = row
    label, prediction = (f"<bdi>{escape(name)}</bdi>" for name in names)  # whichever way its letters go
    return (
        f'<figure><img src="{escape(image)}" alt="test image {index}" loading="lazy">'
        f"<figcaption><b>{label} <i>taken for</i> {prediction}</b>"
        f"<span>{_percent(confidence)} sure, {_percent(label_probability)} for {label}</span>"
        f"<span>image {index}</span></figcaption></figure>"
    )


def _percent(share: float) -> str:
    return "NaN" if np.isnan(share) else f"{100 * share:.1f} %"


PAGE_START = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{heading}}</title>
<style>
  :root { color-scheme: light dark; --page: #f6f6f4; --card: #fff; --ink: #222; --muted: #666; --edge: #dededa;
    --wrong: #b53600; }
  @media (prefers-color-scheme: dark) {
    :root { --page: #16181b; --card: #202328; --ink: #e8e8e6; --muted: #a0a4aa; --edge: #33373d; --wrong: #ff9466; }
  }
  body { margin: 2rem auto; max-width: 72rem; padding: 0 1.2rem; background: var(--page); color: var(--ink);
    font: 15px/1.45 system-ui, sans-serif; }
"""
"""How each of our pages begins, up to the middle of its style; its colours are those of the day or of the night."""

PAGE = (
    PAGE_START
    + """  h1 { font-size: 1.5rem; font-weight: 600; margin: 0 0 .2rem; }
  p { color: var(--muted); margin: 0 0 1.4rem; }
  main { display: grid; grid-template-columns: repeat(auto-fill, minmax(10rem, 1fr)); gap: .9rem; }
  figure { margin: 0; padding: .7rem; background: var(--card); border: 1px solid var(--edge); border-radius: 8px; }
  img { display: block; width: 100%; aspect-ratio: 1; object-fit: contain; image-rendering: pixelated;
    border-radius: 4px; }
  figcaption { margin-top: .5rem; overflow-wrap: anywhere; }
  b { display: block; color: var(--wrong); }
  i { font-style: normal; font-weight: 400; color: var(--muted); }
  span { display: block; font-size: .82rem; color: var(--muted); font-variant-numeric: tabular-nums; }
</style>
<h1>{{heading}}</h1>
<p>{{remark}}</p>
<main>
{{cards}}
</main>
</html>
"""
)
