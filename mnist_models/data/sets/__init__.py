"""Named data sets that grow: each addition makes a version, and no content is kept twice.

A set is a folder: `objects/` holds the files' contents, named by their SHA-256; `rows/` tables of the images of each
version; `thumbnails/` small pictures, by which near duplicates are found; `versions/` one JSON file for each version,
written last: what has none is not there.
"""
