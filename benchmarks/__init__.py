"""What the package costs, measured beside what people would use instead: `python -m benchmarks`.

A vault and a key of its own for the whole run; never the user's.
"""

import atexit
import os
import shutil
import tempfile

_folder = tempfile.mkdtemp(prefix="flowlet-benchmarks-")
atexit.register(shutil.rmtree, _folder, ignore_errors=True)
os.environ["FLOWLET_VAULT"] = os.path.join(_folder, "vault")
os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"
os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"  # requests-oauthlib asks a server on loopback
