"""The browser's way to an access token: `authorize/NAME` to the provider, `callback` back from it."""

from __future__ import annotations

import hmac
import secrets as random
import time
from urllib.parse import quote, urlsplit

from jupyter_server.auth.decorator import allow_unauthenticated
from jupyter_server.auth.identity import IdentityProvider, LegacyIdentityProvider, PasswordIdentityProvider
from jupyter_server.utils import url_path_join
from tornado import web

from flowlet_jupyter.credentials.handles import Secrets
from flowlet_jupyter.errors import FlowletError, InvalidSecret, SecretNotFound
from flowlet_jupyter.http.identity import identify
from flowlet_jupyter.model.oauth2 import AUTHORIZATION_CODE, OAuth2
from flowlet_jupyter.model.secret import Record
from flowlet_jupyter.model.status import status_of
from flowlet_jupyter.model.value import SecretValue
from flowlet_jupyter.oauth.authorization_code import (
    FLOW_LIFETIME_SECONDS,
    Flow,
    authorization_request,
    complete_flow,
    new_flow,
)
from flowlet_jupyter.oauth.pending import claim_flow, find_flow, flow_id, remember_flow
from flowlet_jupyter.providers import fields_for, provider_named
from flowlet_jupyter.server.base import run_in_thread
from flowlet_jupyter.server.pages import PageHandler
from flowlet_jupyter.server.redirect_uri import (
    callback_path,
    is_address_of,
    plan_for_request,
    redirect_uri,
)
from flowlet_jupyter.server.refusals import forget_refusal, note_refusal
from flowlet_jupyter.server.tickets import TICKET_SECONDS, Ticket, issue_ticket, redeem_ticket
from flowlet_jupyter.vault import Vault

_MIXED_UP = (
    "The response came to the redirect URI of another provider than it was requested from. It was refused; nothing was "
    "stored."
)


class FlowHandler(PageHandler):
    """A page on the browser's way to the provider and back."""

    @property
    def current_user_name(self) -> str | None:
        """The user, on servers that tell users apart.

        Behind a token or password everybody is the server's one owner, and Jupyter makes up a name for each login.
        """
        if type(self.identity_provider) in {IdentityProvider, PasswordIdentityProvider, LegacyIdentityProvider}:
            return None
        return getattr(self.current_user, "username", None)

    def start_at_provider(self, flow: Flow, at_provider: str) -> None:
        """Bind the flow to this browser by a cookie, and send it to the provider."""
        cookie, path = self.cookie_of(flow.state.reveal())
        self.set_cookie(
            cookie,
            flow.browser.reveal(),
            path=path,
            max_age=int(FLOW_LIFETIME_SECONDS),
            httponly=True,
            samesite="Lax",
            secure=self.request.protocol == "https",
        )
        self.redirect(at_provider)

    def refuse(self, name: str, message: str, *, status: int = 400) -> None:
        """Say on this page, and in the view that waits for it, why the flow of the secret `name` brought no token."""
        note_refusal(self.vault, name, message)
        self.show("failed.html", status=status, message=message, secret_name=name)

    def cookie_of(self, state: str) -> tuple[str, str]:
        """Name and path of the cookie that binds the flow of `state` to its browser."""
        return f"flowlet-{flow_id(state)}", callback_path(self)


class AuthorizeHandler(FlowHandler):
    """`GET authorize/NAME`: start a flow and redirect to the provider.

    With `?provider=KEY` of an entry that brings its own client, a secret that is not there yet is made first.
    """

    @web.authenticated
    async def get(self, name: str) -> None:
        """302 to the provider; a page to confirm first when another site's link led here."""
        try:
            unasked = self.is_from_elsewhere and not self._is_confirmed(name)
            secret = await self._secret_to_authorize(name, unasked=unasked)
        except FlowletError as error:
            self.show("failed.html", status=404 if isinstance(error, KeyError) else 400, message=str(error))
            return
        if unasked:
            # A stranger's link must not start a flow unseen: the page shows what it is and links here from our origin.
            provider = urlsplit(secret.authorization_endpoint).hostname
            here = url_path_join(self.base_url, "flowlet", "authorize", quote(name, safe=""))
            here = f"{here}?confirmed={self._confirmation(name)}"
            self.show("confirm.html", secret_name=name, provider=provider, here=here)
            return
        plan = await run_in_thread(
            lambda: plan_for_request(
                self,
                provider=secret.provider,
                authorization_endpoint=secret.authorization_endpoint or "",
                registered=secret.redirect_uris,
                client_id=secret.client_id,
            )
        )
        if plan.problem and self.get_query_argument("registered", "") != "yes":
            again = f"{url_path_join(self.base_url, 'flowlet', 'authorize', quote(name, safe=''))}?registered=yes"
            again += f"&confirmed={self._confirmation(name)}"
            self.show("redirect.html", secret_name=name, problem=plan.problem, uri=plan.uri, again=again)
            return
        flow = new_flow(name, redirect_uri=plan.uri, now=time.time(), user=self.current_user_name, is_bound=secret.dpop)
        await run_in_thread(lambda: remember_flow(self.vault, flow))
        forget_refusal(self.vault, name)
        try:
            at_provider = await run_in_thread(lambda: authorization_request(self.vault, flow))
        except FlowletError as error:
            self.refuse(name, str(error), status=502)
            return
        if plan.is_elsewhere(redirect_uri(self)):
            # cookies do not cross from localhost to 127.0.0.1: start there, by a ticket that works once
            ticket = issue_ticket(self.vault, Ticket(flow, at_provider, time.monotonic() + TICKET_SECONDS))
            self.redirect(f"{plan.uri.rpartition('callback')[0]}handover?ticket={ticket}")
            return
        self.start_at_provider(flow, at_provider)

    async def _secret_to_authorize(self, name: str, *, unasked: bool) -> OAuth2:
        """The secret; a catalogue entry's is made, unless `unasked`. Raises `SecretNotFound`, `InvalidSecret`."""
        if unasked and name not in await run_in_thread(self.vault.names):
            raise SecretNotFound(f"There is no secret '{name}'. Open the link again from a page of this server.")
        secret = (await run_in_thread(lambda: self._record(name))).secret
        if not isinstance(secret, OAuth2):
            raise InvalidSecret(f"Secret '{name}' is of type {secret.type}: there is no token to request.")
        if secret.grant_type != AUTHORIZATION_CODE:
            raise InvalidSecret(f"Secret '{name}' has the grant {secret.grant_type}, which goes through no browser.")
        return secret

    @property
    def is_from_elsewhere(self) -> bool:
        """Whether a link on another site may have led here: the browser says so, or does not say where it comes from.

        A request that proves knowledge of the server's token, or of the loopback listener's secret path, is nobody
        else's.
        """
        site = self.request.headers.get("Sec-Fetch-Site")
        if site is not None:
            return site not in {"same-origin", "none"}
        if self.token_authenticated or "flowlet_callback" in self.settings:
            return False
        referrer = urlsplit(self.request.headers.get("Referer", ""))
        return (referrer.scheme, referrer.netloc) != (self.request.protocol, self.request.host)

    def _confirmation(self, name: str) -> str:
        """What only the page of ours that asked can know; a stranger's page cannot read ours, nor make this up."""
        key: bytes = self.settings.setdefault("flowlet_confirmation_key", random.token_bytes(32))
        return hmac.new(key, name.encode(), "sha256").hexdigest()

    def _is_confirmed(self, name: str) -> bool:
        confirmation = self.get_query_argument("confirmed", "")
        return bool(confirmation) and hmac.compare_digest(confirmation.encode(), self._confirmation(name).encode())

    def _record(self, name: str) -> Record:
        key = self.get_query_argument("provider", "")
        if key and name not in self.vault.names():
            provider = provider_named(key)
            if provider is not None and provider.is_ready:
                Secrets(self.vault).add(OAuth2(name=name, **fields_for(provider, {})))
        return self.vault.get(name)


class HandOverHandler(FlowHandler):
    """`GET handover?ticket=…`: take over a flow that was started under the other name of this machine.

    The ticket was given to the logged-in browser by the authorize handler; it works once, within a minute.
    """

    @allow_unauthenticated
    async def get(self) -> None:
        """Set the flow's cookie for this host, and go on to the provider."""
        ticket = redeem_ticket(self.vault, self.get_query_argument("ticket", ""), now=time.monotonic())
        if ticket is None:
            self.show("failed.html", status=400, message="This link was used already or is too old. Start again.")
            return
        self.start_at_provider(ticket.flow, ticket.at_provider)


class CallbackHandler(FlowHandler):
    """`GET callback`, `GET callback/KEY`: the redirect URI, and that of one provider only.

    It needs the flow's `state` and cookie, not a Jupyter login: a logged-in user started the flow. If there is a login
    on a server that tells users apart, it must be that user's.
    """

    @allow_unauthenticated
    async def get(self, provider_key: str | None = None) -> None:
        """Check the response, exchange the code, store the token set, and say so."""
        # the last value of a parameter given twice would be an attacker's choice (RFC 6749, 3.1: at most once)
        if any(len(values) > 1 for values in self.request.query_arguments.values()):
            self.show("failed.html", status=400, message="The response repeats a parameter. It was refused.")
            return
        parameters = {key: self.get_query_argument(key) for key in self.request.query_arguments}
        state = parameters.get("state", "")
        try:
            flow = await run_in_thread(lambda: find_flow(self.vault, state, now=time.time()))
        except FlowletError as error:
            # the browser is not known yet: a stranger learns neither the vault's folder nor where its key is
            self.log.warning("flowlet: a response could not be looked up: %s", type(error).__name__)
            flow = None
        if flow is None or not self._is_same_browser(flow):
            self.show(
                "failed.html",
                status=400,
                message="This response belongs to no request of this browser: it was used before, is older than 10 "
                "minutes, or was started elsewhere. Nothing was stored. Press Request access token again.",
            )
            return
        if not claim_flow(self.vault, state):
            self.show("failed.html", status=400, message="This response was used already.")
            return
        cookie, path = self.cookie_of(state)
        self.clear_cookie(cookie, path=path)
        name = flow.secret_name
        if not is_address_of(flow.redirect_uri, provider_key):
            self.refuse(name, _MIXED_UP)
            return
        try:
            record = await run_in_thread(lambda: _finish(self.vault, flow, parameters))
        except FlowletError as error:
            self.refuse(name, str(error))
            return
        status = status_of(record, now=time.time())
        self.show("authorized.html", secret_name=name, token_status=status, summary=status.summary())

    def _is_same_browser(self, flow: Flow) -> bool:
        cookie, _ = self.cookie_of(flow.state.reveal())
        value = self.get_cookie(cookie)
        if value is None or flow.browser != SecretValue(value):
            return False
        return self.current_user is None or self.current_user_name == flow.user


def _finish(vault: Vault, flow: Flow, parameters: dict[str, str]) -> Record:
    complete_flow(vault, flow, parameters)
    identify(vault, flow.secret_name)
    return vault.get(flow.secret_name)
