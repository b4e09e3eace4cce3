"""Layers -> snapshots -> one registered image per release, and what is removed again."""
