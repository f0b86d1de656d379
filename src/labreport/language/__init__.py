"""The template language over boxes; it knows no LaTeX."""
