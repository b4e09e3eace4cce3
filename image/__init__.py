"""The golden image: what a release is, how its layers are built, registered, and started inside a clone."""
