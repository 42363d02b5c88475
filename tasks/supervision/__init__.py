"""One training under supervision: live logging, its place among others, and how its end is told."""
