"""How good a classifier is, where it errs, and whether another one is better."""
