"""The plugin `goldfleet`: GoldenImage, Capacity and Rollout, the three resources that no other provider has."""
