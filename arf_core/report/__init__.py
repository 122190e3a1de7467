"""Charts, statistics and overviews of a project."""
