"""AWS Batch, for real: jobs run as processes of this machine.

Modelled from the AWS Batch user guide and API reference. What differs from AWS: an
image is not pulled, the command runs in the host's file system; an instance is not
started, so a job waits only for vCPUs of its compute environments and for one of the
launcher's slots; multi-node, EKS, Fargate-only, fair-share and service jobs are refused.
"""
