"""The error that AWS Batch gives to its callers."""

import json


class ClientError(Exception):
    """The caller's mistake: HTTP 400 ClientException with the sentence as its message."""


class NotFound(ClientError):
    """What the request names does not exist."""


def response(error: ClientError):
    body = {"message": str(error), "__type": "ClientException"}
    return 400, {"Content-Type": "application/json", "x-amzn-ErrorType": "ClientException"}, json.dumps(body).encode()
