"""What can be seen of running trainings: on the terminal, and in Prefect."""
