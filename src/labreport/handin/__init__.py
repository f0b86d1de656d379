"""The hand-in: a zip of all that the report was made from, searched for leaks and verified."""
