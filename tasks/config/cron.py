"""Whether a cron expression names a day that there is; its syntax is judged by Prefect, whose server obeys it."""

import re

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
LONGEST = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)  # days of each month
_PART = re.compile(r"(\*|\d+(?:-\d+)?)(?:/(\d+))?")


def ever_comes(expression: str) -> bool:
    """Return False if no year has a day of the month and a month as asked, such as 30 February.

    True for what is no cron expression. That a day of the week is asked for as well does not help: Prefect's scheduler
    looks for each of the two, and fails if it does not find one.
    """
    fields = expression.lower().split()
    if len(fields) != 5:
        return True
    for number, month in enumerate(MONTHS, 1):
        fields[3] = re.sub(rf"\b{month}\b", str(number), fields[3])
    days, months = _values(fields[2], 1, 31), _values(fields[3], 1, 12)
    if days is None or months is None:
        return True
    return any(day <= LONGEST[month - 1] for month in months for day in days)


def _values(field: str, first: int, last: int) -> set[int] | None:
    """Return what a field stands for; None for what we do not know, or what is out of bounds."""
    values: set[int] = set()
    for part in field.replace("?", "*").split(","):
        match = _PART.fullmatch(part)
        if match is None:
            return None
        span, step = match.groups()
        low, _, high = span.partition("-") if span != "*" else (str(first), "-", str(last))
        end = int(high or (last if step else low))
        if not first <= int(low) <= end <= last or step == "0":
            return None
        values.update(range(int(low), end + 1, int(step or 1)))
    return values
