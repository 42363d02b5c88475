"""Servers: whether they answer, who may reach them, the temporary one, and the messages that they get."""
