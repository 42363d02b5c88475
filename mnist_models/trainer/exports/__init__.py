"""Models in formats of other programs: how they are written, and whether they still say the same."""
