"""In which formats a model can be written, and when what was written is as good as the model."""

import json
from dataclasses import asdict, dataclass

from mnist_models.errors import InvalidInput


@dataclass(frozen=True)
class Format:
    """A format of a model."""

    suffix: str  # of its file; empty: it is a folder
    modules: tuple[str, ...] = ()  # that are needed besides those of this project
    least_equal: float = 0.999  # share of test images that must get the same answer
    most_difference: float = 1e-4  # between two probabilities


FORMATS = {
    "keras": Format(".keras"),
    "saved_model": Format(""),
    "onnx": Format(".onnx", ("tf2onnx", "onnx", "onnxruntime")),
    "tflite": Format(".tflite", ("ai_edge_litert",)),
    # Weights and activations of 8 bits: probabilities move, answers must not.
    "tflite-int8": Format(".tflite", ("ai_edge_litert",), least_equal=0.98, most_difference=1.0),
}


@dataclass(frozen=True)
class Agreement:
    """How the outputs of a written model differ from those of the model, on the same images."""

    images: int
    equal: float  # share of images with the same most probable class
    largest_difference: float  # between two probabilities
    bytes: int  # that the written model takes

    def to_json(self) -> str:
        """Return it as a JSON object."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Agreement":
        """Return what `to_json` encoded."""
        return cls(**json.loads(text))

    def in_words(self) -> str:
        """Say it in half a sentence."""
        return (
            f"{self.equal:.2%} of {self.images:,} test images get the same answer, and no probability differs by more"
            f" than {self.largest_difference:.1g}"
        )


def check_agreement(name: str, agreement: Agreement) -> None:
    """Raise InvalidInput if a model written in the format `name` answers otherwise than it must."""
    wanted = FORMATS[name]
    # A difference that is no number is no agreement.
    if agreement.equal >= wanted.least_equal and agreement.largest_difference <= wanted.most_difference:
        return
    least = f"{wanted.least_equal:.1%} must be equal"
    most = f", with differences of {wanted.most_difference:g} at most" if wanted.most_difference < 1 else ""
    raise InvalidInput(f"format: as {name} this model answers otherwise: {agreement.in_words()}; {least}{most}.")
