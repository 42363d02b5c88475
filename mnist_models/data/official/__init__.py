"""The official MNIST: where it comes from, and the hashes that every copy must have."""
