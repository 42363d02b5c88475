"""The figures of an evaluation; each function returns a Matplotlib figure, which `png` encodes.

They are safe to draw in several threads: without pyplot and without changes of Matplotlib's settings.
"""

from mnist_models.evaluation.figures.curves import overlaid_curves
from mnist_models.evaluation.figures.errors import confusion_matrix, per_class_accuracy
from mnist_models.evaluation.figures.images import mistakes, predictions, sample_images
from mnist_models.evaluation.figures.initialisation import initialisation_study
from mnist_models.evaluation.figures.learning import learning_curves
from mnist_models.evaluation.figures.reliability import reliability_diagram
from mnist_models.evaluation.figures.runs import comparison
from mnist_models.evaluation.figures.style import png
from mnist_models.metrics_log import History

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
