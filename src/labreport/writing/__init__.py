"""Values as LaTeX and as Markdown, and code by name."""
