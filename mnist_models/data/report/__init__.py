"""What a data set looks like before anything is trained on it: its numbers, in JSON, in words and in Markdown."""
