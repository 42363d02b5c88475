"""Photos and scans, read and prepared in the way in which the training images were prepared."""
