"""Visits to two sites that do the same, one on our sessions and one on starsessions, in clones that are processes."""
