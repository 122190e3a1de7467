"""Measures of quality: error rates with intervals, agreement with people, clusters of findings."""
