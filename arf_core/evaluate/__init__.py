"""Measures: error rates with intervals, and how far a detector agrees with people."""
