"""The names under which everything that is measured is logged."""

TRAIN_LOSS = "train/loss"
TRAIN_ACCURACY = "train/accuracy"
VALIDATION_LOSS = "validation/loss"
VALIDATION_ACCURACY = "validation/accuracy"
TRAINER_MEMORY = "memory/trainer_mb"
IMAGES_PER_SECOND = "speed/images_per_second"
