"""Tables that the benchmarks write into the README, each between marks of its own."""

from pathlib import Path

README = Path(__file__).resolve().parent.parent / "README.md"


def replace_block(name: str, content: str) -> None:
    """Put `content` between `<!-- name -->` and `<!-- /name -->`."""
    start, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
    before, rest = README.read_text().split(start)
    README.write_text(before + start + content + end + rest.split(end)[1])
