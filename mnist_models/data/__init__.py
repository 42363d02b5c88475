"""Labelled images, from the official MNIST or the user's files, checked, as one `Dataset`."""
