"""Sweep files of W&B, and a local agent that runs their trials."""
