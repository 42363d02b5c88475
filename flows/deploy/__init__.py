"""What runs without a command: deployments, automations, and the process that serves them."""
