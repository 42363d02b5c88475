"""What `mnist data` does with named data sets."""
