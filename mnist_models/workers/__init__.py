"""The parent's side of training: how many trainer processes, with which settings, and who gets which job."""
