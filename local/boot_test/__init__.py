"""Boots an image as it would boot on EC2, with real stores and a control plane around it, and says what it saw."""
