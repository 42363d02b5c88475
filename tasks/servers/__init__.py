"""Servers: which there are, whether they answer, who may reach them, and what they are told."""
