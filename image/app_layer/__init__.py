"""The app layer: app, library and packages as one read-only file system that no system tool is needed to write."""
