"""Bakes the OS layer: locked packages -> root file system -> disk."""
