"""What is measured, each with its limit: `python -m bench`, or `python -m bench local_cloud`."""
