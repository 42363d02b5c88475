"""The code that goes with a logged model, so that it answers without this project."""
