"""Charts and overviews."""
