"""What samples allow to conclude."""
