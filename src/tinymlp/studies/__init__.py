"""What experiments conclude from their trainings."""

from tinymlp.studies.learning_curves import candidate_rows, curve, findings, snapshots, telling_runs

__all__ = ["candidate_rows", "curve", "findings", "snapshots", "telling_runs"]
