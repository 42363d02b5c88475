"""The names of all metrics, as the log of a training, MLflow and the figures use them.

Names before the slash say when a metric is measured: `train/` at each step, `validation/` at each validation, the
others once, at the end of a training. Accuracies are shares, 0 to 1.
"""

TRAIN_LOSS = "train/loss"
"""Mean loss per image of the step's batch, before the step's update."""

TRAIN_ACCURACY = "train/accuracy"
"""Accuracy on the step's batch, before the step's update."""

VALIDATION_LOSS = "validation/loss"
"""Mean loss per image on the validation set."""

VALIDATION_ACCURACY = "validation/accuracy"
"""Accuracy on the validation set."""

IMAGES_PER_SECOND = "speed/images_per_second"
"""Training speed from the first step to this validation, validations included."""

TRAINER_MEMORY = "memory/trainer_mb"
"""Resident memory of the trainer process at this validation, in MiB."""

TEST_ACCURACY = "test/accuracy"
"""Accuracy of the kept weights on the test set."""

TEST_ACCURACY_LOW = "test/accuracy_low"
"""Lower end of the 95 % interval of the test accuracy (Wilson 1927)."""

TEST_ACCURACY_HIGH = "test/accuracy_high"
"""Upper end of that interval."""

TEST_LOSS = "test/loss"
"""Mean of -ln(probability of the label) on the test set, with probabilities clipped at 1e-7."""

TEST_BRIER = "test/brier"
"""Mean squared distance between probabilities and one-hot label on the test set, 0 to 2 (Brier 1950)."""

TEST_CALIBRATION_ERROR = "test/calibration_error"
"""Expected calibration error over 15 bins on the test set, 0 to 1 (Guo et al. 2017)."""

TEST_MISTAKES = "test/mistakes"
"""Number of test images that are classified wrongly."""

KEPT_VALIDATION_ACCURACY = "kept/validation_accuracy"
"""Validation accuracy of the kept weights."""

KEPT_STEP = "kept/step"
"""Step after which the kept weights were taken."""

TRAIN_SECONDS = "speed/train_seconds"
"""Seconds from the first step to the last, validations included."""

IMAGES_PER_SECOND_OVERALL = "speed/images_per_second_overall"
"""Training speed over all steps, validations included."""

PARAMETERS = "model/parameters"
"""Number of trainable weights."""

DIVERGED = "diverged"
"""1 if a loss was not finite, else 0."""

FIRST_NAN_STEP = "first_nan_step"
"""First step whose loss was not finite; logged only if there is one."""

RECIPE_ACCURACY = "test_accuracy/"
"""On a comparison, followed by a recipe's name: mean test accuracy over the recipe's seeds."""

RECIPE_ACCURACY_SD = "test_accuracy_sd/"
"""On a comparison, followed by a recipe's name: standard deviation of that, for two seeds or more."""
