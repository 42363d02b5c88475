"""Web servers on the loopback address, each for as long as a test needs it."""

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    """Says nothing on the screen."""

    def log_message(self, *_):
        pass


@contextmanager
def serving(handler, kind=ThreadingHTTPServer):
    """A server whose requests `handler` answers; its address is in `server_port`."""
    with kind(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
