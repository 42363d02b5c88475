"""Tables that the benchmarks write into documents, each between marks of its own."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "README.md"
SPEED = ROOT / "docs" / "speed.md"


def replace_block(document: Path, name: str, content: str) -> None:
    """Write `content` between `<!-- name -->` and `<!-- /name -->` of a document.

    Raises:
        ValueError: the document has not exactly one such pair of marks; it is not changed then.
    """
    start, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
    text = document.read_text()
    if not text.count(start) == text.count(end) == 1:
        raise ValueError(f"{document.name} must hold the marks {start.strip()} and {end} once each")
    before, rest = text.split(start)
    document.write_text(before + start + content + end + rest.split(end)[1])
