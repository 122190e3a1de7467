"""The page Revise."""
