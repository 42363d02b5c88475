"""The figures of an evaluation; each function returns a Matplotlib figure, which `png` encodes.

They are safe to draw in several threads: without pyplot and without changes of Matplotlib's settings.
"""

from mnist_models.figures.plots.accuracy_ranking import comparison
from mnist_models.figures.plots.confusion_matrix import confusion_matrix, per_class_accuracy
from mnist_models.figures.plots.example_images import mistakes, predictions, sample_images
from mnist_models.figures.plots.initialisation import initialisation_study
from mnist_models.figures.plots.learning_curves import learning_curves
from mnist_models.figures.plots.overlaid_curves import overlaid_curves
from mnist_models.figures.plots.reliability import reliability_diagram
from mnist_models.figures.plots.style import png
from mnist_models.training_run.metrics_log import History

__all__ = [
    "History",
    "comparison",
    "confusion_matrix",
    "initialisation_study",
    "learning_curves",
    "mistakes",
    "overlaid_curves",
    "per_class_accuracy",
    "png",
    "predictions",
    "reliability_diagram",
    "sample_images",
]
