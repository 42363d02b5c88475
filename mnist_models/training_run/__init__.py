"""What the flow and a trainer process agree on: the job, its identity, and the folder that it leaves."""
