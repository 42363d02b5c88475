"""The formats in which a user's data are read: one module each, found by being here. Adding one edits nothing else.

`mnist_models.data.read.Format` says what a module must offer, and `mnist_models.data.found` what it returns.
"""
