"""Where the plan's faults come into calls: DynamoDB and S3 on their way through HTTP,
Lambda where a function is about to run or has run, whoever called it."""

import asyncio
import json
import time

from ministack.core.router import detect_service
from ministack.services import lambda_svc

from .faults import Faults

_DYNAMODB = "com.amazonaws.dynamodb.v20120810#"
_TARGET = b"dynamodb_20120810."


def install(faults: Faults) -> None:
    """Lets the plan strike functions. A failed function looks as one that has crashed."""
    run = lambda_svc._execute_function_dispatch

    def execute(func, config, event, request_id, started):
        rule = faults.about("lambda") and faults.choose("lambda", config.get("FunctionName", ""), "Invoke")
        if rule and rule.fault == "delay":
            time.sleep(rule.seconds)
        if not rule or rule.fault == "delay":
            return run(func, config, event, request_id, started)
        if rule.fault == "after":
            run(func, config, event, request_id, started)
        message = f"RequestId: {request_id} Error: Runtime exited with error: signal: killed"
        return {"body": {"errorType": "Runtime.ExitError", "errorMessage": message}, "error": True, "log": message}

    lambda_svc._execute_function_dispatch = execute


class Injector:
    """An ASGI application around another that lets the plan strike its HTTP calls."""

    def __init__(self, app, faults: Faults):
        self._app = app
        self._faults = faults

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http" or not (self._faults.about("dynamodb") or self._faults.about("s3")):
            return await self._app(scope, receive, send)
        headers = {name.lower(): value for name, value in scope["headers"]}
        if headers.get(b"x-amz-target", b"").lower().startswith(_TARGET):
            return await self._dynamodb(scope, receive, send, headers)
        text = {name.decode("latin-1"): value.decode("latin-1") for name, value in headers.items()}
        if detect_service(scope["method"], scope["path"], text, {}) == "s3":
            return await self._s3(scope, receive, send)
        return await self._app(scope, receive, send)

    async def _dynamodb(self, scope, receive, send, headers):
        body = await _read(receive)
        operation = headers[b"x-amz-target"].decode("latin-1").split(".")[-1]
        rule = self._faults.choose("dynamodb", _table(body), operation)
        receive = _replay(body, receive)
        if rule is None:
            return await self._app(scope, receive, send)
        if rule.fault == "delay":
            await asyncio.sleep(rule.seconds)
            return await self._app(scope, receive, send)
        if rule.fault == "after":
            await self._app(scope, receive, _drop)
        status, code, message = {
            "throughput": (400, "ProvisionedThroughputExceededException",
                           "The level of configured provisioned throughput for the table was exceeded."),
            "throttling": (400, "ThrottlingException", "Throughput exceeds the current capacity of your table."),
        }.get(rule.fault, (500, "InternalServerError", "Internal server error"))
        return await _answer(send, status, "application/x-amz-json-1.0",
                             json.dumps({"__type": _DYNAMODB + code, "message": message}).encode())

    async def _s3(self, scope, receive, send):
        rule = self._faults.choose("s3", scope["path"].lstrip("/").split("/")[0], scope["method"])
        if rule is None:
            return await self._app(scope, receive, send)
        if rule.fault in ("slow", "truncate"):
            return await self._app(scope, receive, _Body(send, rule))
        if rule.fault == "delay":
            await asyncio.sleep(rule.seconds)
            return await self._app(scope, receive, send)
        if rule.fault == "after":
            await self._app(scope, receive, _drop)
        else:
            await _read(receive)  # else the client's upload meets a closed connection
        status, code, message = {
            "slow-down": (503, "SlowDown", "Please reduce your request rate."),
        }.get(rule.fault, (500, "InternalError", "We encountered an internal error. Please try again."))
        body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{message}</Message></Error>".encode()
        return await _answer(send, status, "application/xml", b"" if scope["method"] == "HEAD" else body)


class _Body:
    """Sends a body in eight parts over the rule's seconds, or only its first half."""

    def __init__(self, send, rule):
        self._send = send
        self._rule = rule

    async def __call__(self, message):
        body = message.get("body", b"")
        if message["type"] != "http.response.body" or not body:
            return await self._send(message)
        if self._rule.fault == "truncate":
            # The rest never comes: the server closes a connection whose body is not whole.
            return await self._send({**message, "body": body[:len(body) // 2], "more_body": True})
        step = max(1, -(-len(body) // 8))
        for start in range(0, len(body), step):
            await asyncio.sleep(self._rule.seconds / 8)
            last = start + step >= len(body)
            await self._send({**message, "body": body[start:start + step],
                              "more_body": message.get("more_body", False) if last else True})


def _table(body: bytes) -> str:
    """The table that a request names; the first one of a transaction or a batch."""
    try:
        request = json.loads(body)
    except ValueError:
        return ""
    if "TableName" in request:
        return request["TableName"]
    for item in request.get("TransactItems") or []:
        for part in item.values():
            return part.get("TableName", "")
    return next(iter(request.get("RequestItems") or {}), "")


async def _read(receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if message["type"] != "http.request" or not message.get("more_body"):
            return b"".join(parts)


def _replay(body, receive):
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_again():
        return messages.pop() if messages else await receive()
    return receive_again


async def _drop(message):
    """Takes an answer that its client shall not see."""


async def _answer(send, status, kind, body):
    await send({"type": "http.response.start", "status": status, "headers": [
        (b"content-type", kind.encode()), (b"content-length", str(len(body)).encode())]})
    await send({"type": "http.response.body", "body": body})
