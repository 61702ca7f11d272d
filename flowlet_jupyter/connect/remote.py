"""Where a browser cannot reach this process: the redirect to loopback would end on the user's own machine."""

from __future__ import annotations

import os
from collections.abc import Mapping

# What each of these services sets in the processes that it runs. A hub's kernel that finds its server's extension never
# asks, since the server takes the redirect.
_HOSTED = {
    "COLAB_RELEASE_TAG": "Google Colab",
    "KAGGLE_KERNEL_RUN_TYPE": "Kaggle",
    "DATABRICKS_RUNTIME_VERSION": "Databricks",
    "JUPYTERHUB_API_URL": "a JupyterHub",
}


def remote_host(environment: Mapping[str, str] | None = None) -> str | None:
    """The service or machine that this process runs on, if it is not where the browser is; else None.

    A terminal over SSH counts as such a machine, unless an editor forwards its ports (VS Code does), or the user has
    chosen a port for the redirect, as one does who forwards it.
    """
    values = os.environ if environment is None else environment
    for variable, service in _HOSTED.items():
        if values.get(variable):
            return service
    if values.get("SSH_CONNECTION") and not values.get("FLOWLET_LOOPBACK_PORT"):
        if not any(name.startswith("VSCODE_") for name in values):
            return "a machine that is reached by SSH"
    return None
