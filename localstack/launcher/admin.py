"""The launcher's own HTTP paths, below /_supermax, and the instances' metadata.

GET, POST, DELETE /_supermax/faults   the plan (faults.py) and its counts
GET  /_supermax/processes             the job processes that run
POST /_supermax/kill                  {"count": 1, "signal": "KILL"}
POST /_supermax/interrupt             {"count": 1, "seconds": 120}: Spot notice, then the host is lost
"""

import json

from .faults import Faults
from .hosts import Hosts


class Admin:
    """An ASGI application in front of the emulator's."""

    def __init__(self, app, faults: Faults, hosts: Hosts):
        self._app = app
        self._faults = faults
        self._hosts = hosts

    async def __call__(self, scope, receive, send):
        path = scope.get("path", "")
        if scope["type"] == "http" and path.startswith("/_supermax/"):
            return await self._own(scope, receive, send)
        if scope["type"] == "http" and path.startswith("/latest/"):
            headers = dict(scope["headers"])
            found = self._hosts.metadata(headers.pop(b"authorization", b"").decode("latin-1"), path.rstrip("/"))
            if found:
                return await _send(send, found[0], "text/plain", found[1].encode())
            # The basic authorization only named the instance; it is no signature.
            scope = {**scope, "headers": list(headers.items())}
        return await self._app(scope, receive, send)

    async def _own(self, scope, receive, send):
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        try:
            request = json.loads(body) if body else {}
            if not isinstance(request, dict):
                raise ValueError("the body must be a JSON object")
            status, answer = 200, self._act(scope["method"], scope["path"], request)
        except ValueError as error:
            status, answer = 400, {"message": str(error)}
        except LookupError as error:
            status, answer = 404, {"message": str(error)}
        await _send(send, status, "application/json", json.dumps(answer).encode())

    def _act(self, method, path, request):
        match method, path:
            case "GET", "/_supermax/faults":
                return self._faults.state()
            case "POST", "/_supermax/faults":
                return self._faults.load(request)
            case "DELETE", "/_supermax/faults":
                return self._faults.load({})
            case "GET", "/_supermax/processes":
                return {"processes": self._hosts.processes()}
            case "POST", "/_supermax/kill":
                _only(request, "count", "signal")
                return _struck(self._hosts.kill(request.get("count", 1), request.get("signal", "KILL")))
            case "POST", "/_supermax/interrupt":
                _only(request, "count", "seconds")
                return _struck(self._hosts.interrupt(request.get("count", 1), request.get("seconds", 120)))
        raise LookupError(f"{method} {path} is none of the launcher's paths")


def _struck(processes):
    return {"processes": processes, "pids": [process["pid"] for process in processes]}


def _only(request, *names):
    unknown = request.keys() - set(names)
    if unknown:
        raise ValueError(f"{', '.join(sorted(unknown))}: allowed are {', '.join(names)}")


async def _send(send, status, kind, body):
    await send({"type": "http.response.start", "status": status, "headers": [
        (b"content-type", kind.encode()), (b"content-length", str(len(body)).encode())]})
    await send({"type": "http.response.body", "body": body})
