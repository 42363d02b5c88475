"""File formats of labelled images, one module each."""
