"""Editors correct summaries; verifiers check the corrections."""
