"""django-oidc-provider with one client and the user ann; prints its issuer. Configuration comes as JSON in argv."""

import json
import os
import sys
from wsgiref.simple_server import WSGIRequestHandler, make_server


class Quiet(WSGIRequestHandler):
    def log_message(self, *_arguments):
        pass


registration = json.loads(sys.argv[1])
server = make_server("127.0.0.1", 0, None, handler_class=Quiet)
address = f"http://127.0.0.1:{server.server_port}"

import django  # noqa: E402 - the settings name the address
from django.conf import settings as django_settings  # noqa: E402

django_settings.configure(
    SECRET_KEY="secret-of-the-tests",
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    INSTALLED_APPS=[
        "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "django.contrib.admin",
        "django.contrib.messages", "oidc_provider",
    ],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware", "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware", "django.contrib.messages.middleware.MessageMiddleware",
    ],
    TEMPLATES=[{
        "BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True,
        "OPTIONS": {"context_processors": [
            "django.template.context_processors.request", "django.contrib.auth.context_processors.auth",
            "django.contrib.messages.context_processors.messages",
        ], "loaders": [
            ("django.template.loaders.locmem.Loader", {
                "oidc_provider/authorize.html": '<form method="post" action="{% url "oidc_provider:authorize" %}">{% csrf_token %}'
                '{{ hidden_inputs }}<button name="allow" value="accept">Allow</button></form>',
                "oidc_provider/error.html": "{{ error }}: {{ description }}",
            }),
            "django.template.loaders.app_directories.Loader",
        ]},
    }],
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    LOGIN_URL="/login/",
    SITE_URL=address,
    USE_TZ=True,
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
)  # fmt: skip
django_settings.TEMPLATES[0].pop("APP_DIRS")
django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.contrib.auth.views import LoginView  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.http import HttpResponse  # noqa: E402
from django.urls import include, path  # noqa: E402
from oidc_provider.models import Client, ResponseType  # noqa: E402

urlpatterns = [
    path("login/", LoginView.as_view(template_name="admin/login.html")),
    path("admin/", include(([path("", lambda _request: HttpResponse(), name="index")], "admin"), namespace="admin")),
    path("", include("oidc_provider.urls", namespace="oidc_provider")),
]
call_command("migrate", verbosity=0)
call_command("creatersakey", stdout=open(os.devnull, "w"))  # noqa: SIM115 - for as long as the process
User.objects.create_user("ann", password="any")
client = Client(
    name="flowlet",
    client_id=registration["client_id"],
    client_secret=registration["client_secret"],
    client_type="confidential",
    jwt_alg="RS256",
)
client.redirect_uris = [registration["redirect_uri"]]
client.save()
client.response_types.add(ResponseType.objects.get(value="code"))
server.set_app(get_wsgi_application())
print(address, flush=True)
server.serve_forever()
