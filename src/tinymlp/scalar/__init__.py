"""Automatic differentiation of scalars, and networks of them."""
