"""The terminal, on which texts look as they are."""

from typing import Any

from rich.console import Console
from rich.text import Text

from mnist_models.shown_text import on_screen


class Screen(Console):
    """A console that takes nothing in a text for a command: no [markup], no :emoji:, nothing that moves the cursor."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"markup": False, "emoji": False} | options)

    def render_str(self, text: str, **options: Any) -> Text:
        """Return what is printed for `text`; Rich calls it for all that is printed, the cells of tables too."""
        return super().render_str("\n".join(map(on_screen, text.split("\n"))), **options)
