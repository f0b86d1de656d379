"""The documents: the PDF and the notebooks."""
