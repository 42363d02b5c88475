"""A report on data as a page by itself, with some images of each class."""

from base64 import b64encode
from collections.abc import Iterable
from html import escape

from mnist_models.data.report import words
from mnist_models.data.report.report import ClassCounts, DataReport
from mnist_models.evaluation.mistakes_page import PAGE_START
from mnist_models.shown_text import in_title, on_screen

MANY = 250  # classes, of which few images each are shown


def data_page(report: DataReport, sheets: Iterable[bytes]) -> str:
    """Return the page; `sheets` are PNG or JPEG files with images of each class, in their order."""
    parts = {
        "card": "22rem" if len(report.classes) > MANY else "35rem",
        "heading": escape(words.heading(report)),
        "warnings": "\n".join(f'<p class="warning">{escape(each)}</p>' for each in words.warnings(report)),
        "facts": "\n".join(f"<dt>{name}</dt><dd>{escape(text)}</dd>" for name, text in words.facts(report)),
        "unreadable": "\n".join(f"<p>{escape(each)}</p>" for each in words.unreadable(report)),
        "command": f"<p>Train on it:</p>\n<pre>{escape(on_screen(report.command))}</pre>" if report.command else "",
        "classes": "\n".join(_section(each, sheet) for each, sheet in zip(report.classes, sheets, strict=True)),
    }
    page = PAGE
    for name, text in parts.items():
        page = page.replace("{{" + name + "}}", text)
    return page


def _section(counts: ClassCounts, sheet: bytes) -> str:
    kind = "png" if sheet.startswith(b"\x89PNG") else "jpeg"
    name = escape(in_title(counts.name))
    validation = f", {counts.validation:,} for validation" if counts.validation else ""
    said = f"{counts.train:,} for training{validation}, {counts.test:,} for the test"
    uri = f"data:image/{kind};base64,{b64encode(sheet).decode()}"
    return f'<section><h2>{name}</h2><p>{said}</p><img src="{uri}" alt="images of {name}" loading="lazy"></section>'


PAGE = (
    PAGE_START
    + """  :root { --test: #0072b2; }
  body { max-width: 76rem; }
  h1 { font-size: 1.5rem; font-weight: 600; margin: 0 0 1rem; overflow-wrap: anywhere; }
  .warning { color: var(--wrong); margin: 0 0 .4rem; overflow-wrap: anywhere; }
  dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; margin: 1rem 0; }
  dt { color: var(--muted); }
  dd { margin: 0; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
  pre { padding: .7rem; background: var(--card); border: 1px solid var(--edge); border-radius: 8px; overflow-x: auto; }
  i { border: 2px solid var(--test); padding: 0 .3rem; font-style: normal; }
  main { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, {{card}}), 1fr)); gap: .9rem;
    margin-top: 1.4rem; }
  section { padding: .7rem .9rem; background: var(--card); border: 1px solid var(--edge); border-radius: 8px; }
  h2 { font-size: 1.05rem; font-weight: 600; margin: 0; overflow-wrap: anywhere; }
  section p { color: var(--muted); font-size: .85rem; margin: 0 0 .5rem; font-variant-numeric: tabular-nums; }
  img { display: block; max-width: 100%; border-radius: 4px; }
</style>
<h1>{{heading}}</h1>
{{warnings}}
<dl>
{{facts}}
</dl>
{{unreadable}}
{{command}}
<p>Images in a <i>frame</i> are for the test.</p>
<main>
{{classes}}
</main>
</html>
"""
)
