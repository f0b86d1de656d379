"""The machine learning of the report: tiny networks, their training and its statistics."""
