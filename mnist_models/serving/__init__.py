"""What a served model does around its network: it prepares images as training did, and gives answers by name."""
