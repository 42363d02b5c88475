"""From what a format has found to a checked data set: labels, sizes, colours, a test part, and what is doubtful."""
