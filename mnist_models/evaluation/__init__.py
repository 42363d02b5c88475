"""How good a classifier is, what it gets wrong, and which of several is better."""
