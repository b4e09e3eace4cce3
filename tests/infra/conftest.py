"""Settings of the three stacks, and variations of them."""

from __future__ import annotations
