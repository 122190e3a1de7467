"""What a project has stored: tables, writes, queries, and what is derived for charts and review."""
