"""The HTTP server, at the level of bytes."""

import socket
import unittest
import urllib.parse

from .support import client, endpoint, name

SIGNED = (b"Authorization: AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request, "
          b"SignedHeaders=host, Signature=x\r\n")


class Connection:
    """A raw connection to the launcher."""

    def __init__(self):
        address = urllib.parse.urlsplit(endpoint())
        self.socket = socket.create_connection((address.hostname, address.port), timeout=5)
        self.file = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
        self.socket.close()

    def send(self, *parts: bytes) -> None:
        self.socket.sendall(b"".join(parts))

    def answer(self, head: bool = False) -> tuple[int, dict, bytes]:
        """The next answer; `head` where it answers a HEAD, which has no body."""
        status = int(self.file.readline().split()[1])
        headers = {}
        while (line := self.file.readline().strip()):
            key, _, value = line.decode().partition(":")
            headers[key.lower()] = value.strip()
        return status, headers, b"" if head or status == 100 else self.file.read(int(headers.get("content-length", 0)))

    def at_end(self) -> bool:
        return self.file.read(1) == b""


class Http(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        bucket = name("bucket")
        client("s3").create_bucket(Bucket=bucket)
        cls.path = f"/{bucket}/k".encode()

    def request(self, method: bytes, *headers: bytes, path: bytes | None = None) -> bytes:
        return b"%b %b HTTP/1.1\r\nHost: localhost\r\n%b%b\r\n" % (
            method, path or self.path, SIGNED, b"".join(line + b"\r\n" for line in headers))

    def test_a_connection_serves_many_requests(self):
        with Connection() as c:
            for content in (b"first", b"", b"x" * 700_000):
                c.send(self.request(b"PUT", b"Content-Length: %d" % len(content)), content)
                self.assertEqual(c.answer()[0], 200)
                c.send(self.request(b"GET"))
                self.assertEqual(c.answer()[2], content)

    def test_requests_that_come_in_one_packet(self):
        with Connection() as c:
            c.send(self.request(b"PUT", b"Content-Length: 2"), b"ab", self.request(b"GET"), self.request(b"HEAD"))
            self.assertEqual(c.answer()[0], 200)
            self.assertEqual(c.answer()[2], b"ab")
            status, headers, _ = c.answer(head=True)
            self.assertEqual((status, headers["content-length"]), (200, "2"))

    def test_a_chunked_body_and_one_that_waits(self):
        with Connection() as c:
            c.send(self.request(b"PUT", b"Transfer-Encoding: chunked"), b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n")
            self.assertEqual(c.answer()[0], 200)
            c.send(self.request(b"GET"))
            self.assertEqual(c.answer()[2], b"abcde")
            c.send(self.request(b"PUT", b"Content-Length: 3", b"Expect: 100-continue"))
            self.assertEqual(c.answer()[0], 100)
            c.send(b"xyz")
            self.assertEqual(c.answer()[0], 200)

    def test_connections_that_shall_close(self):
        for line, extra in ((b"HTTP/1.1", b"Connection: close\r\n"), (b"HTTP/1.0", b"")):
            with self.subTest(line), Connection() as c:
                c.send(b"GET /_supermax/processes ", line, b"\r\n", extra, b"\r\n")
                self.assertEqual(c.answer()[0], 200)
                self.assertTrue(c.at_end())

    def test_what_is_no_request(self):
        for text, status in ((b"nonsense\r\n\r\n", 400), (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", 400),
                             (b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
                             (b"GET / HTTP/1.1\r\nA: " + b"a" * 300_000 + b"\r\n\r\n", 431)):
            with self.subTest(text[:40]), Connection() as c:
                c.send(text)
                self.assertEqual(c.answer()[0], status)
                self.assertTrue(c.at_end())

    def test_a_client_that_goes_away_harms_no_other(self):
        with Connection() as c:
            c.send(self.request(b"PUT", b"Content-Length: 100"), b"only some")
        with Connection() as c:
            c.send(self.request(b"GET", path=b"/_supermax/none"))
            self.assertEqual(c.answer()[0], 404)
