"""A JupyterHub with one service as its OAuth client; prints its address. Any user logs in with any password."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

registration = json.loads(sys.argv[1])
signal.signal(signal.SIGTERM, lambda *_: sys.exit())  # so that what is started here ends too


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


port = free_port()
url = f"http://127.0.0.1:{port}"
folder = tempfile.mkdtemp()
proxy = (
    Path(__file__).parents[1] / "hub" / "node_modules" / "configurable-http-proxy" / "bin" / "configurable-http-proxy"
)
Path(folder, "config.py").write_text(f"""
c = get_config()
c.JupyterHub.bind_url = {url!r}
c.JupyterHub.hub_bind_url = "http://127.0.0.1:{free_port()}"
c.JupyterHub.db_url = "sqlite://"
c.JupyterHub.cookie_secret_file = {folder + "/cookie"!r}
c.JupyterHub.authenticator_class = "dummy"
c.JupyterHub.spawner_class = "simple"
c.Authenticator.allow_all = True
c.JupyterHub.services = [{{"name": "flowlet", "oauth_client_id": "service-notebook",
    "api_token": {registration["client_secret"]!r}, "oauth_redirect_uri": {registration["redirect_uri"]!r},
    "oauth_client_allowed_scopes": ["read:users!user"]}}]
c.JupyterHub.load_roles = [{{"name": "user", "scopes": ["self", "access:services"]}}]
c.ConfigurableHTTPProxy.command = ["node", {str(proxy)!r}]
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{free_port()}"
""")
environment = {**os.environ, "CONFIGPROXY_AUTH_TOKEN": "token-of-the-tests"}
hub = subprocess.Popen([sys.executable, "-m", "jupyterhub", "-f", f"{folder}/config.py"], cwd=folder, env=environment,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
for _ in range(600):
    try:
        with socket.create_connection(("127.0.0.1", port), 1) as asking:
            asking.sendall(b"GET /hub/api/ HTTP/1.0\r\n\r\n")
            if b" 200 " in asking.recv(100):
                break
    except OSError:
        pass
    time.sleep(0.1)
print(
    json.dumps({"address": url, "client_id": "service-notebook", "client_secret": registration["client_secret"]}),
    flush=True,
)
try:
    hub.wait()
finally:
    hub.terminate()
    hub.wait(10)
