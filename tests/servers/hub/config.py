"""A JupyterHub for the tests: two users who log in with any password, each with a vault of their own."""

import os
from pathlib import Path

here = Path(os.environ["HUB_FOLDER"])
c = get_config()  # noqa: F821 - JupyterHub's own
c.JupyterHub.bind_url = os.environ["HUB_URL"]
c.JupyterHub.hub_bind_url = f"http://127.0.0.1:{os.environ['HUB_PORT']}"
c.JupyterHub.db_url = f"sqlite:///{here}/hub.sqlite"
c.JupyterHub.cookie_secret_file = str(here / "cookie_secret")
c.JupyterHub.authenticator_class = "dummy"
c.JupyterHub.spawner_class = "simple"
c.JupyterHub.cleanup_servers = True
c.JupyterHub.services = [{"name": "flowlet", "oauth_client_id": "service-flowlet", "oauth_no_confirm": True,
                          "api_token": "service-secret-of-the-tests-0123456789",
                          "oauth_redirect_uri": f"{os.environ['HUB_URL']}/hub/user-redirect/flowlet/callback",
                          "oauth_client_allowed_scopes": ["read:users!user"]}]  # fmt: skip
c.JupyterHub.load_roles = [{"name": "user", "scopes": ["self", "access:services"]}]
c.ConfigurableHTTPProxy.command = ["node", os.environ["HUB_PROXY"]]
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{os.environ['HUB_PROXY_PORT']}"
c.Authenticator.allow_all = True
c.JupyterHub.allow_named_servers = True
c.Spawner.args = ["--allow-root", "--debug"]
c.Spawner.default_url = "/api/status"
c.SimpleLocalProcessSpawner.home_dir_template = str(here / "{username}")
c.Spawner.env_keep = ["PATH", "PYTHONPATH", "VIRTUAL_ENV", "LANG"]


def vault_of(spawner):
    home = here / spawner.user.name
    home.mkdir(exist_ok=True)
    spawner.environment = {
        "FLOWLET_VAULT": str(home / "vault"),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTER_DATA_DIR": str(home / "data"),
    }


c.Spawner.pre_spawn_hook = vault_of
