"""Small pictures in colour that are easy to tell apart, and writers for the ways in which people keep them."""

import csv

import numpy as np
import pandas as pd
from PIL import Image, ImageDraw

CLASSES = ("circle", "square", "triangle")


def draw(name, seed, side=32):
    """A filled figure on a light ground; place, size and colours differ by `seed`."""
    generator = np.random.default_rng([seed, *name.encode()])
    ground, ink = (tuple(generator.integers(low, low + 100, 3).tolist()) for low in (150, 20))
    image = Image.new("RGB", (side, side), ground)
    left, top = generator.uniform(0.1, 0.3, 2) * side
    size = generator.uniform(0.45, 0.6) * side
    pen, box = ImageDraw.Draw(image), (left, top, left + size, top + size)
    if name == "circle":
        pen.ellipse(box, fill=ink)
    elif name == "square":
        pen.rectangle(box, fill=ink)
    else:
        pen.polygon([(left + size / 2, top), (left, top + size), (left + size, top + size)], fill=ink)
    return image


def write_class_folder(folder, each=30, seed=0, first=0, change=lambda image: image):
    for name in CLASSES:
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number in range(first, first + each):
            change(draw(name, 1_000_000 * seed + number)).save(folder / name / f"{number}.png")
    return folder


def write_table(file, each=30, groups=0, split=False):
    """Write images beside the table; return its rows."""
    (file.parent / "images").mkdir(exist_ok=True)
    rows = []
    for number in range(each * len(CLASSES)):
        name = CLASSES[number % len(CLASSES)]
        draw(name, number).save(file.parent / "images" / f"{number}.png")
        row = {"path": f"images/{number}.png", "label": name}
        if groups:
            row["group"] = f"writer {number // len(CLASSES) % groups}"
        if split:
            row["split"] = "test" if number % 9 < 3 else "train"
        rows.append(row)
    if file.suffix == ".parquet":
        pd.DataFrame(rows).to_parquet(file)
    else:
        with file.open("w", newline="") as opened:
            writer = csv.DictWriter(opened, rows[0].keys(), delimiter="\t" if file.suffix == ".tsv" else ",")
            writer.writeheader()
            writer.writerows(rows)
    return rows
