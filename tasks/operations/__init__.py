"""How things stand: checks of the machine, the state of the deployments, new data."""
