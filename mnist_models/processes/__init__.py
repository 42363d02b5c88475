"""Child processes that take jobs as lines of JSON."""
