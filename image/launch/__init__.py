"""Runs inside every clone: metadata -> user data -> secrets -> environment -> migrate -> app.

The same code on AWS and on one machine; only `AWS_EC2_METADATA_SERVICE_ENDPOINT` differs. Imports nothing but the
standard library, botocore and the contract.
"""
