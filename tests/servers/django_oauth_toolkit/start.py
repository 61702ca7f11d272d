"""django-oauth-toolkit with one client and the user ann; prints its issuer. Configuration comes as JSON in argv."""

import json
import sys
from wsgiref.simple_server import WSGIRequestHandler, make_server

import django
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings as django_settings

registration = json.loads(sys.argv[1])
key = rsa.generate_private_key(65537, 2048).private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
)
django_settings.configure(
    SECRET_KEY="secret-of-the-tests",
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    INSTALLED_APPS=[
        "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "django.contrib.admin",
        "django.contrib.messages", "oauth2_provider",
    ],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware", "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware", "django.middleware.csrf.CsrfViewMiddleware",
    ],
    TEMPLATES=[{
        "BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True,
        "OPTIONS": {"context_processors": [
            "django.template.context_processors.request", "django.contrib.auth.context_processors.auth",
            "django.contrib.messages.context_processors.messages",
        ]},
    }],
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    LOGIN_URL="/login/",
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    OAUTH2_PROVIDER={
        "OIDC_ENABLED": True,
        "OIDC_RSA_PRIVATE_KEY": key.decode(),
        "SCOPES": {"openid": "who you are", "read": "read"},
        "OAUTH2_VALIDATOR_CLASS": f"{__name__}.Validator",
        "ROTATE_REFRESH_TOKEN": True,
    },
)  # fmt: skip
django.setup()

from django.contrib.auth.models import User  # noqa: E402 - Django is set up first
from django.contrib.auth.views import LoginView  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.http import JsonResponse  # noqa: E402
from django.urls import include, path  # noqa: E402
from oauth2_provider.decorators import protected_resource  # noqa: E402
from oauth2_provider.models import Application  # noqa: E402
from oauth2_provider.oauth2_validators import OAuth2Validator  # noqa: E402


class Validator(OAuth2Validator):
    """The ID token names the subject only; userinfo has the name."""

    def get_userinfo_claims(self, request):
        return {**super().get_userinfo_claims(request), "preferred_username": request.user.username}


@protected_resource()
def me(request):
    return JsonResponse({"name": request.resource_owner.username})


urlpatterns = [
    path("login/", LoginView.as_view(template_name="admin/login.html")),
    path("o/", include("oauth2_provider.urls", namespace="oauth2_provider")),
    path("admin/", include(([path("", me, name="index")], "admin"), namespace="admin")),  # the login page's own links
    path("me", me),
]


class Quiet(WSGIRequestHandler):
    def log_message(self, *_arguments):
        pass


call_command("migrate", verbosity=0)
User.objects.create_user("ann", password="any")
Application.objects.create(
    client_id=registration["client_id"],
    client_secret=registration["client_secret"],
    redirect_uris=registration["redirect_uri"],
    client_type="confidential",
    authorization_grant_type="authorization-code",
    algorithm="RS256",
    name="flowlet",
)
server = make_server("127.0.0.1", 0, get_wsgi_application(), handler_class=Quiet)
print(f"http://127.0.0.1:{server.server_port}/o", flush=True)
server.serve_forever()
