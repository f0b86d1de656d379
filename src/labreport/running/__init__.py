"""Running experiments: what is out of date, in which processes, and what an experiment is given."""
