"""Starts the AWS emulator (ministack) with what it lacks: a Batch that runs jobs,
Step Functions and CloudFormation for it, and faults on demand.

Only this folder knows that an emulator exists: everything else of Supermax reads
AWS_ENDPOINT_URL and speaks AWS's protocols.
"""
