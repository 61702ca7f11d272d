"""What the package costs, measured beside what people would use instead: `python -m benchmarks`.

A vault and a key of its own for the whole run; never the user's.
"""

import os
import tempfile

os.environ["FLOWLET_VAULT"] = os.path.join(tempfile.mkdtemp(prefix="flowlet-benchmarks-"), "vault")
os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"
os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"  # requests-oauthlib asks a server on loopback
