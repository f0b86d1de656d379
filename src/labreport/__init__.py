"""Makes the report from the experiments: results as files, a document from them, every number traced."""

__version__ = "0.1.0"
