"""The names of all metrics, as the log of a training, MLflow and the figures use them.

Names before the slash say when a metric is measured: `train/` at each step, `validation/` at each validation, the
others once, at the end of a training. Accuracies are shares, 0 to 1.
"""

TRAIN_LOSS = "train/loss"  # mean loss per image of the step's batch, before the step's update
TRAIN_ACCURACY = "train/accuracy"  # accuracy on the step's batch, before the step's update

VALIDATION_LOSS = "validation/loss"  # mean loss per image on the validation set
VALIDATION_ACCURACY = "validation/accuracy"  # accuracy on the validation set

IMAGES_PER_SECOND = "speed/images_per_second"  # training speed up to this validation, including all validations
TRAINER_MEMORY = "memory/trainer_mb"  # resident memory of the trainer process at this validation, in MiB

TEST_ACCURACY = "test/accuracy"  # accuracy of the kept weights on the test set
TEST_ACCURACY_LOW = "test/accuracy_low"  # lower end of the 95 % interval of the test accuracy (Wilson 1927)
TEST_ACCURACY_HIGH = "test/accuracy_high"  # upper end of that interval
TEST_LOSS = "test/loss"  # mean of -ln(probability of the label) on the test set, with probabilities clipped at 1e-7
TEST_BRIER = "test/brier"  # mean squared distance of probabilities and one-hot label, 0 to 2 (Brier 1950)
TEST_CALIBRATION_ERROR = "test/calibration_error"  # expected calibration error, 15 bins, 0 to 1 (Guo et al. 2017)
TEST_MISTAKES = "test/mistakes"  # number of test images that are classified wrongly

KEPT_VALIDATION_ACCURACY = "kept/validation_accuracy"  # validation accuracy of the kept weights
KEPT_STEP = "kept/step"  # step after which the kept weights were taken
TRAIN_SECONDS = "speed/train_seconds"  # seconds from the first step to the last, validations included
IMAGES_PER_SECOND_OVERALL = "speed/images_per_second_overall"  # training speed over all steps and validations
PARAMETERS = "model/parameters"  # number of trainable weights

DIVERGED = "diverged"  # 1 if a loss was not finite, else 0
FIRST_NAN_STEP = "first_nan_step"  # first step whose loss was not finite; logged only if there is one

RECIPE_ACCURACY = "test_accuracy/"  # on a comparison, with a recipe's name behind it: mean test accuracy over the seeds
RECIPE_ACCURACY_SD = "test_accuracy_sd/"  # the same: standard deviation over the seeds
