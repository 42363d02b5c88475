"""What happens, in what order: one screen each."""
