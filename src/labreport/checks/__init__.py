"""The rules of a hand-in, checked."""
