"""Figures of trainings, drawn in a process of its own."""
