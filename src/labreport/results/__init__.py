"""Results of experiments: declared, fingerprinted, stored."""
