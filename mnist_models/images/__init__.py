"""Pictures of any kind, read and prepared the way the training images were."""
