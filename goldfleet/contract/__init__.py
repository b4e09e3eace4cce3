"""What the rooms agree on: one fact, one owner. Imports nothing but the errors and the standard library."""
