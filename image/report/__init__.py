"""Runs once in every clone: says in one line what its boot has come to, and in plain words why the app ended.

Imports nothing but the standard library, the contract and the log line of `image.launch`.
"""
