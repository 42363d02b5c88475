"""A proxy before a real MLflow server, which can go away, stall, or fail an upload."""

import os
import signal
import subprocess
import sys
import threading
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from homes import free_port
from waiting import SECONDS

from tasks.servers.health_check import wait_until_answers


class MlflowServer:
    """A real server on a store of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.store = folder / "mlflow.db"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [Path(sys.executable).with_name("mlflow"), "server", "--host", "127.0.0.1", "--port", str(self.port)]
        command += ["--backend-store-uri", f"sqlite:///{self.store}", "--workers", "1"]
        command += ["--artifacts-destination", str(self.folder / "artifacts")]
        more = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
        with (self.folder / "mlflow.log").open("ab") as log:
            self.process = subprocess.Popen(
                command, env=os.environ | more, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )
        assert wait_until_answers(f"http://127.0.0.1:{self.port}/health", SECONDS)

    def stop(self) -> None:
        """As a power cut would."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


class Proxy:
    """Passes requests on, unless `mode` says otherwise."""

    def __init__(self, port: int) -> None:
        self.mode = "pass"  # or "refuse", "stall", "error"
        self.uploads = 0
        self.fail_from: int | None = None  # the first upload that fails, with all after it
        self.stalled = 0
        self._released = threading.Event()
        self._lock = threading.Lock()
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if proxy.refuses(self.command, self.path):
                    self.close_connection = True
                    if proxy.mode == "refuse":
                        self.connection.close()
                    else:
                        self.send_error(503 if proxy.mode == "error" else 500)
                    return
                connection = HTTPConnection("127.0.0.1", port, timeout=60)
                try:
                    connection.request(self.command, self.path, body, dict(self.headers))
                    answer = connection.getresponse()
                    content = answer.read()
                finally:
                    connection.close()
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in ("transfer-encoding", "content-length", "connection", "date", "server"):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_one

            def log_message(self, *_: object) -> None:
                return

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: object) -> None:
                """Whoever has given up does not want to be told."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def refuses(self, method: str, path: str) -> bool:
        if self.mode == "stall":
            with self._lock:
                self.stalled += 1
            self._released.wait(300)
        with self._lock:
            if method == "PUT" and "artifacts" in path:
                self.uploads += 1
                if self.fail_from is not None and self.uploads >= self.fail_from:
                    return True
        return self.mode in ("refuse", "error")

    def recover(self) -> None:
        """Pass everything on from now on."""
        self.mode, self.fail_from = "pass", None
        self._released.set()

    def close(self) -> None:
        self.recover()
        self._server.shutdown()
        self._server.server_close()
