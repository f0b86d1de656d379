"""What a caller has to correct, and what an error says in one line."""


class TrackingError(Exception):
    """Something that the caller or the user has to correct; failures of W&B raise nothing."""


def brief(error: object) -> str:
    """Return what an error says in one line."""
    return " ".join(str(error).split())[:200] or type(error).__name__
