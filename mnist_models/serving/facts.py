"""What a served model has to know besides its weights."""

import json
from dataclasses import dataclass

from mnist_models.images.prepare import Preparation


@dataclass(frozen=True)
class ServingFacts:
    """How images become what the network takes, and what its answers mean; it lies beside the weights as JSON."""

    preparation: Preparation
    class_names: tuple[str, ...]
    temperature: float  # at which probabilities mean what they say; 1.0 leaves them as they are

    def to_json(self) -> str:
        """Return it as a JSON object."""
        fields = {"preparation": json.loads(self.preparation.to_json()), "class_names": self.class_names}
        return json.dumps(fields | {"temperature": self.temperature}, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> "ServingFacts":
        """Return what `to_json` encoded."""
        fields = json.loads(text)
        preparation = Preparation.from_json(json.dumps(fields["preparation"]))
        return cls(preparation, tuple(fields["class_names"]), float(fields["temperature"]))
