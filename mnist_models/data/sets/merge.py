"""What a data set becomes by what is said: additions, and corrections of labels."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from mnist_models.data.sets.rows import Row
from mnist_models.data.sets.statements import Statement


@dataclass(frozen=True)
class Merged:
    """The rows that are there, corrected; and what is said of images that are not there."""

    rows: list[Row]
    new: list[Statement]
    notes: list[str] = field(default_factory=list)  # what is worth knowing, a sentence each


def merged(rows: Sequence[Row], statements: Sequence[Statement], only_unheard: bool) -> Merged:
    """Return what rows become by statements.

    The same content with the same label changes nothing, with another it is a correction; what was removed returns. A
    content has the side that it has, whatever is stated now. With `only_unheard` a label that an image has, or had
    before, is no news: so files that stay where they were taken from undo no correction and no removal.
    """
    said, notes = _once(statements)
    result, is_known = list(rows), {row.content for row in rows}
    for place, row in enumerate(rows):
        each = said.get(row.content)
        if each is None or (only_unheard and each.label in (row.label, *row.earlier)):
            continue
        earlier = row.earlier
        if each.label != row.label and row.label not in earlier:
            earlier = (*earlier, row.label)
        result[place] = row._replace(label=each.label, group=row.group or each.group, earlier=earlier, removed=False)
    asked = [(row, said[row.content]) for row in rows if row.content in said]
    if moved := sum(each.part not in ("", row.part) for row, each in asked):
        notes.append(f"{moved:,} keep the side that they have had, train or test, though another is stated now")
    return Merged(result, [each for content, each in said.items() if content not in is_known], notes)


def _once(statements: Sequence[Statement]) -> tuple[dict[str, Statement], list[str]]:
    """Return one statement for each content: the last label, and the first side that is stated."""
    said: dict[str, Statement] = {}
    copies, contradictions, sides = 0, list[str](), 0
    for each in statements:
        before = said.get(each.content)
        if before is None:
            said[each.content] = each
            continue
        copies += 1
        if before.label != each.label:
            contradictions.append(f"{each.name} is {each.label}, but {before.name}, the same image, is {before.label}")
        sides += bool(before.part and each.part and before.part != each.part)
        said[each.content] = before._replace(label=each.label, part=before.part or each.part)
    notes = []
    if copies:
        notes.append(f"{copies:,} are copies of others, of which one is kept")
    if contradictions:
        notes.append(f"{len(contradictions):,} contradict an equal image; the last label counts: {contradictions[0]}")
    if sides:
        notes.append(f"{sides:,} are stated to be in two parts; the first counts")
    return said, notes
