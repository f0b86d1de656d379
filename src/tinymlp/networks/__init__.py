"""Noisy XOR, the networks in PyTorch, one at a time and thousands at once."""
