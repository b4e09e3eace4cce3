"""Runs beside the app in every clone: ships its log lines, and keeps the lists of replicas up to date."""
