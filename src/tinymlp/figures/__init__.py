"""What figures share, and the figures that need more than matplotlib."""
