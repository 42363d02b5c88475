"""Where trainings run: backends, the machine, and the errors of both."""
