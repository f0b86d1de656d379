"""Torture: thousands of random trials of what must never fail. `make torture` runs all kinds of them.

A kind is a module with one function `trials(count, seed) -> Iterator[Trial]` and a row in `__main__.KINDS`.
"""
