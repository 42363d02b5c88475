"""The registered model: which version serves, who has put it there, and how its pages look."""
