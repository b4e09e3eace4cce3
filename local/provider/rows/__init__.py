"""One file per AWS service, one row per resource type."""
