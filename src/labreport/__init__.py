"""Makes the report from the experiments: results as files, a document rendered from them, every number traced."""
