"""Properties are checked without a deadline: how long one takes depends on what else the machine does."""

from hypothesis import settings

settings.register_profile("labreport", deadline=None)
settings.load_profile("labreport")
