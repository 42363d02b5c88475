"""The architectures: one file each, with its network and its recipes. Adding one edits nothing else."""
