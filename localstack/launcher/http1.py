"""HTTP/1.1 for one ASGI application, in a third of the processor time of ministack's server:
the emulator is one Python thread, and every call of every test goes through here.

No TLS, no HTTP/2, no WebSocket: AWS's clients need none of them on a plain endpoint.
"""

import asyncio
import http
import logging
import re
import urllib.parse

_log = logging.getLogger("supermax.http")

_LARGEST_HEAD = 256 * 1024
_PIECE = 256 * 1024  # of a body, read at a time
_REQUEST_LINE = re.compile(rb"([A-Z]+) (\S+) HTTP/1\.([01])\Z")
_REASONS = {status.value: status.phrase.encode() for status in http.HTTPStatus}


class _Malformed(Exception):
    """No HTTP request; the connection cannot go on."""


async def serve(app, host: str, port: int, stopped: asyncio.Event) -> None:
    """Serves until `stopped` is set. The application's lifespan is around it; open connections
    are closed, what they were doing is not waited for."""
    connections: set[asyncio.Task] = set()

    async def connected(reader, writer):
        task = asyncio.current_task()
        connections.add(task)
        try:
            await _connection(app, reader, writer, (host, port))
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client went away, or the server stops
        except Exception:
            _log.exception("a request failed")
        finally:
            connections.discard(task)
            writer.close()

    async with _Lifespan(app):
        server = await asyncio.start_server(connected, host, port, limit=_LARGEST_HEAD, backlog=1024)
        await stopped.wait()
        server.close()
        for task in list(connections):
            task.cancel()
        if connections:
            await asyncio.wait(list(connections), timeout=2)


async def _connection(app, reader, writer, address):
    client = writer.get_extra_info("peername")
    while True:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            return
        except asyncio.LimitOverrunError:
            writer.write(b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
            return
        try:
            scope, body = _request(head, reader, writer)
        except _Malformed as error:
            text = str(error).encode()
            writer.write(b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: %d\r\n\r\n%b" % (len(text), text))
            return
        scope |= {"client": client[:2], "server": address}
        answer = _Answer(writer, scope)
        await app(scope, body.receive, answer.send)
        if not answer.complete or not scope["extensions"]["keep"] or not await body.discard():
            return


def _request(head, reader, writer):
    line, *lines = head[:-4].split(b"\r\n")
    match = _REQUEST_LINE.match(line)
    if not match:
        raise _Malformed("no request line")
    method, target, minor = match.groups()
    headers, fields = [], {}
    for text in lines:
        name, colon, value = text.partition(b":")
        if not colon or not name or name != name.strip():
            raise _Malformed("a header line has no name")
        name, value = name.lower(), value.strip()
        headers.append((name, value))
        fields[name] = value
    path, _, query = target.partition(b"?")
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1." + minor.decode(), "scheme": "http",
        "method": method.decode(), "path": urllib.parse.unquote_to_bytes(path).decode("utf-8", "replace"),
        "raw_path": path, "query_string": query, "headers": headers,
        "extensions": {"keep": minor == b"1" and fields.get(b"connection", b"").lower() != b"close"},
    }
    length = fields.get(b"content-length", b"0")
    chunked = fields.get(b"transfer-encoding", b"").lower() == b"chunked"
    if not length.isdigit():
        raise _Malformed("content-length is no number")
    waits = fields.get(b"expect", b"").lower() == b"100-continue"
    return scope, _Body(reader, writer, int(length), chunked, waits)


class _Body:
    """A request's body, as ASGI's receive gives it."""

    def __init__(self, reader, writer, length, chunked, waits):
        self._reader = reader
        self._writer = writer
        self._left = length  # of the body, or of the current chunk
        self._chunked = chunked
        self._waits = waits  # for "100 Continue"
        self._done = not chunked and length == 0
        self._told = False

    async def receive(self):
        if self._done and self._told:
            # Nothing more comes but the end of the connection.
            while not self._writer.is_closing() and not self._reader.at_eof():
                await asyncio.sleep(0.2)
            return {"type": "http.disconnect"}
        piece = await self._piece()
        self._told = self._done
        return {"type": "http.request", "body": piece, "more_body": not self._done}

    async def _piece(self) -> bytes:
        if self._done:
            return b""
        if self._waits:
            self._waits = False
            self._writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if self._chunked and self._left == 0:
            line = await self._reader.readuntil(b"\r\n")
            self._left = int(line.split(b";")[0].strip() or b"0", 16)
            if self._left == 0:
                while await self._reader.readuntil(b"\r\n") != b"\r\n":
                    pass  # trailers, which aws-chunked puts inside the body instead
                self._done = True
                return b""
        piece = await self._reader.read(min(self._left, _PIECE))
        if not piece:
            raise ConnectionResetError("the request ends early")
        self._left -= len(piece)
        if self._left == 0:
            if self._chunked:
                await self._reader.readexactly(2)
            else:
                self._done = True
        return piece

    async def discard(self) -> bool:
        """Reads what the application has not; False where the connection had better be closed."""
        if self._waits and not self._done:
            return False
        while not self._done:
            await self._piece()
        return True


class _Answer:
    """An answer, as ASGI's send takes it; head and body leave in one write where they come as one."""

    def __init__(self, writer, scope):
        self._writer = writer
        self._scope = scope
        self._head = b""
        self._chunked = False
        self._left: int | None = None  # of the announced length
        self.complete = False

    async def send(self, message):
        if message["type"] == "http.response.start":
            self._start(message)
            return
        body = b"" if self._scope["method"] == "HEAD" else message.get("body", b"")
        more = message.get("more_body", False)
        if self._left is not None:
            self._left -= len(body)
        if self._chunked:
            body = (b"%x\r\n%b\r\n" % (len(body), body) if body else b"") + (b"" if more else b"0\r\n\r\n")
        self._writer.write(self._head + body if self._head else body)
        self._head = b""
        if self._writer.transport.get_write_buffer_size() > _PIECE:
            await self._writer.drain()
        self.complete = not more and not self._left

    def _start(self, message):
        status = message["status"]
        parts = [b"HTTP/1.1 %d %b\r\n" % (status, _REASONS.get(status, b"Unknown"))]
        framed = False
        for name, value in message.get("headers", []):
            low = name.lower()
            if low == b"content-length":
                framed = True
                if self._scope["method"] != "HEAD":
                    self._left = int(value)
            elif low in (b"transfer-encoding", b"connection"):
                continue  # this server's business
            parts.append(b"%b: %b\r\n" % (name, value.replace(b"\r", b" ").replace(b"\n", b" ")))
        if not framed and status not in (204, 304) and self._scope["method"] != "HEAD":
            self._chunked = True
            parts.append(b"transfer-encoding: chunked\r\n")
        if not self._scope["extensions"]["keep"]:
            parts.append(b"connection: close\r\n")
        self._head = b"".join(parts) + b"\r\n"


class _Lifespan:
    """The application's startup before the first request, its shutdown after the last."""

    def __init__(self, app):
        self._incoming: asyncio.Queue = asyncio.Queue()
        self._outgoing: asyncio.Queue = asyncio.Queue()
        self._task = asyncio.ensure_future(app({"type": "lifespan", "asgi": {"version": "3.0"}},
                                               self._incoming.get, self._outgoing.put))

    async def _say(self, event):
        await self._incoming.put({"type": f"lifespan.{event}"})
        answer = asyncio.ensure_future(self._outgoing.get())
        await asyncio.wait([answer, self._task], return_when=asyncio.FIRST_COMPLETED)
        if not answer.done() or answer.result()["type"] != f"lifespan.{event}.complete":
            raise RuntimeError(f"the emulator's {event} failed") from (self._task.done() and self._task.exception() or None)

    async def __aenter__(self):
        await self._say("startup")

    async def __aexit__(self, *_):
        await self._say("shutdown")
