"""People decide on corrections."""
