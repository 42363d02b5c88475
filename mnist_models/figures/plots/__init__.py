"""One kind of figure a file: each function returns a Matplotlib figure, which `raster.png` encodes.

No function uses pyplot or changes Matplotlib's settings, so that threads can draw at the same time.
"""
