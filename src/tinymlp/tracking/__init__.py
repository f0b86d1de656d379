"""Runs tracked in W&B, and their logs read back."""
