"""A server of chat completions on loopback that does what it is told, mostly harm.

In a test: ``with serving(answer("yes")) as server``; each request takes the next behaviour, the
last one stays. As a process (``python fault_server.py half``) it can be killed.
"""

from __future__ import annotations

import json
import socket
import sys
import threading
import time
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class FaultServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, *behaviours, models=("good-model", "other-model"), port=0):
        super().__init__(("127.0.0.1", port), _Handler)
        self.behaviours = list(behaviours)
        self.models = models
        self.bodies = []
        self.headers = []
        self.arrivals_s = []
        self.lock = threading.Lock()
        self.released = threading.Event()
        self.connections = []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/v1"

    def next(self):
        with self.lock:
            return self.behaviours.pop(0) if len(self.behaviours) > 1 else self.behaviours[0]

    def process_request(self, request, client_address):
        self.connections.append(request)
        super().process_request(request, client_address)

    def kill(self):
        """End as a killed process does: nobody listens, every connection is cut. Thread-safe."""
        self.shutdown()
        self.server_close()
        for connection in self.connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self.released.set()

    def handle_error(self, request, client_address):
        pass  # clients hang up here; that is the point


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        data = [{"id": m, "object": "model"} for m in self.server.models]
        self.send_json(200, {"object": "list", "data": data})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.lock:
            self.server.bodies.append(body)
            self.server.headers.append({n.lower(): v for n, v in self.headers.items()})
            self.server.arrivals_s.append(time.monotonic())
        self.server.next()(self, body)

    def send_json(self, status, content, headers=()):
        raw = json.dumps(content).encode()
        self.send_response(status)
        for name, value in dict(headers).items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def begin_stream(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True

    def send_raw(self, text):
        self.wfile.write(text.encode())
        self.wfile.flush()

    def send_chunk(self, content=None, index=0, finish=None, **more):
        choice = {"index": index, "delta": {}, "finish_reason": finish, **more}
        if content is not None:
            choice["delta"]["content"] = content
        self.send_event({"id": "1", "object": "chat.completion.chunk", "choices": [choice]})

    def send_event(self, content):
        self.send_raw(f"data: {json.dumps(content)}\n\n")

    def wait(self, seconds):
        self.server.released.wait(seconds)


def answer(*texts, finish="stop", usage=(7, 3), logprobs=None, delay_s=0.0, refusal=None):
    """Answer as a good server does, sample by sample."""

    def behave(handler, body):
        handler.begin_stream()
        for index, text in enumerate(texts[: body.get("n", 1)]):
            for i, word in enumerate(text.split(" ")):
                handler.wait(delay_s)
                handler.send_chunk(f" {word}" if i else word, index, **_logs(logprobs, body))
            handler.send_chunk(None, index, finish)
        if refusal:
            delta = {"index": 0, "delta": {"refusal": refusal}, "finish_reason": "stop"}
            handler.send_event({"choices": [delta]})
        if usage and (body.get("stream_options") or {}).get("include_usage"):
            counts = {"prompt_tokens": usage[0], "completion_tokens": usage[1], "total_tokens": 0}
            handler.send_event({"choices": [], "usage": counts})
        handler.send_raw("data: [DONE]\n\n")

    return behave


def think(thoughts, text="", finish="stop", field="reasoning_content"):
    """Answer as a server does that parts thoughts from the answer."""

    def behave(handler, body):
        handler.begin_stream()
        for word in thoughts.split(" "):
            choice = {"index": 0, "delta": {field: f"{word} "}, "finish_reason": None}
            handler.send_event({"choices": [choice]})
        if text:
            handler.send_chunk(text)
        handler.send_chunk(None, finish=finish)
        handler.send_raw("data: [DONE]\n\n")

    return behave


def _logs(values, body):
    if not values or not body.get("logprobs"):
        return {}
    return {"logprobs": {"content": [{"token": "t", "logprob": v} for v in values]}}


def echo(handler, body):
    """Answer with the last message."""
    content = body["messages"][-1]["content"]
    answer(content if isinstance(content, str) else content[-1]["text"])(handler, body)


def status(number, message="told to", headers=(), **more):
    def behave(handler, body):
        handler.send_json(number, {"error": {"message": message, **more}}, headers)

    return behave


def plain_status(code, text, content_type="text/html"):
    def behave(handler, body):
        raw = text.encode()
        handler.send_response(code)
        handler.send_header("Content-Type", content_type)
        handler.send_header("Content-Length", str(len(raw)))
        handler.end_headers()
        handler.wfile.write(raw)

    return behave


def refuse_field(name, then, message=None):
    """400 for whoever sends this field."""

    def behave(handler, body):
        if name in body:
            told = message or f"Unrecognized request argument supplied: {name}"
            status(400, told, param=name)(handler, body)
        else:
            then(handler, body)

    return behave


def hang(seconds=60.0):
    """Take the question and say nothing at all."""

    def behave(handler, body):
        handler.wait(seconds)
        handler.close_connection = True

    return behave


def role_then_hang(handler, body):
    """Send headers, a role and signs of life, but never a token."""
    handler.begin_stream()
    handler.send_event({"choices": [{"index": 0, "delta": {"role": "assistant"}}]})
    while not handler.server.released.wait(0.05):
        handler.send_raw(": still here\n\n")


def token_then_hang(handler, body):
    handler.begin_stream()
    handler.send_chunk("half")
    while not handler.server.released.wait(0.05):
        handler.send_raw(": still here\n\n")


def drip(handler, body):
    """A token now and then, without end: only the total limit ends it."""
    handler.begin_stream()
    while not handler.server.released.wait(0.1):
        handler.send_chunk("la ")


def half(handler, body):
    """End the stream in the middle of an answer, as if that were all."""
    handler.begin_stream()
    handler.send_chunk("put(red")


def cut(handler, body):
    """Promise more bytes than come."""
    handler.send_response(200)
    handler.send_header("Content-Type", "text/event-stream")
    handler.send_header("Content-Length", "10000")
    handler.end_headers()
    handler.send_chunk("put(red")
    handler.close_connection = True


def wrong_json(handler, body):
    handler.begin_stream()
    handler.send_raw('data: {"choices": [{"index": 0, "delta"\n\n')


SHAPES = (
    "5", '"x"', "null", "[]", "[[1]]", "{}", '{"error": []}', '{"choices": 7}',
    '{"choices": [1, null]}', '{"choices": [{"delta": 5}]}', '{"usage": 3, "choices": {}}',
    '{"choices": [{"index": "x", "delta": {"content": 5}, "finish_reason": 7}]}',
    '{"choices": [{"index": [], "delta": {"content": ["x"]}, "logprobs": {"content": [3]}}]}',
)  # fmt: skip


def data(*lines):
    """Send what a stream may hold, and then nothing more."""

    def behave(handler, body):
        handler.begin_stream()
        for line in lines:
            handler.wfile.write(b"data: " + (line if isinstance(line, bytes) else line.encode()))
            handler.wfile.write(b"\n\n")

    return behave


def error_in_stream(message):
    def behave(handler, body):
        handler.begin_stream()
        handler.send_event({"error": {"message": message, "code": 500}})

    return behave


def empty_body(handler, body):
    handler.begin_stream()


def drop(handler, body):
    """Hang up without a byte."""
    handler.close_connection = True


def redirect(target):
    def behave(handler, body):
        handler.send_json(307, {}, {"Location": target})

    return behave


@contextmanager
def serving(*behaviours, **settings):
    server = FaultServer(*behaviours, **settings)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.kill()


if __name__ == "__main__":
    server = FaultServer(globals()[sys.argv[1]])
    print(server.server_port, flush=True)
    server.serve_forever()
