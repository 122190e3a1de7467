"""The page Analyze."""
