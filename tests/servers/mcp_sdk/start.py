"""An MCP server (the Python SDK's) that is its own authorization server; prints its address. Configuration: JSON in argv.

The SDK leaves the login to who embeds it, so here every authorization request is the user ann's, and allowed.
"""

import asyncio
import json
import secrets
import socket
import sys
import time

import uvicorn
from mcp.server.auth.provider import AccessToken, AuthorizationCode, RefreshToken, construct_redirect_uri
from mcp.server.auth.settings import AuthSettings, ClientRegistrationOptions, RevocationOptions
from mcp.server.mcpserver import MCPServer
from mcp.shared.auth import OAuthClientInformationFull, OAuthToken

registration = json.loads(sys.argv[1])


class Provider:
    """Everything in memory: the clients, the codes and the tokens."""

    def __init__(self):
        self.clients = {
            registration["client_id"]: OAuthClientInformationFull(
                client_id=registration["client_id"],
                client_secret=registration["client_secret"],
                redirect_uris=[registration["redirect_uri"]],
                token_endpoint_auth_method="client_secret_basic",
                grant_types=["authorization_code", "refresh_token"],
                scope="read",
            )
        }
        self.codes, self.access_tokens, self.refresh_tokens = {}, {}, {}

    async def get_client(self, client_id):
        return self.clients.get(client_id)

    async def register_client(self, client_info):
        self.clients[client_info.client_id] = client_info

    async def authorize(self, client, params):
        code = AuthorizationCode(
            code=secrets.token_urlsafe(32),
            scopes=params.scopes or [],
            expires_at=time.time() + 60,
            client_id=client.client_id,
            code_challenge=params.code_challenge,
            redirect_uri=params.redirect_uri,
            redirect_uri_provided_explicitly=params.redirect_uri_provided_explicitly,
            resource=params.resource,
            subject="ann",
        )
        self.codes[code.code] = code
        return construct_redirect_uri(str(params.redirect_uri), code=code.code, state=params.state)

    async def load_authorization_code(self, client, authorization_code):
        return self.codes.get(authorization_code)

    async def exchange_authorization_code(self, client, authorization_code):
        del self.codes[authorization_code.code]
        return self._issue(client, authorization_code)

    async def load_refresh_token(self, client, refresh_token):
        return self.refresh_tokens.get(refresh_token)

    async def exchange_refresh_token(self, client, refresh_token, scopes):
        await self.revoke_token(refresh_token)
        return self._issue(client, refresh_token)

    async def load_access_token(self, token):
        return self.access_tokens.get(token)

    async def revoke_token(self, token):
        self.refresh_tokens.pop(token.token, None)
        self.access_tokens.pop(token.token, None)

    def _issue(self, client, grant):
        fields = {"client_id": client.client_id, "scopes": grant.scopes, "resource": grant.resource, "subject": "ann"}
        access = AccessToken(token=secrets.token_urlsafe(32), expires_at=int(time.time()) + 3600, **fields)
        refresh = RefreshToken(token=secrets.token_urlsafe(32), **fields)
        self.access_tokens[access.token], self.refresh_tokens[refresh.token] = access, refresh
        return OAuthToken(
            access_token=access.token,
            token_type="Bearer",
            expires_in=3600,
            refresh_token=refresh.token,
            scope=" ".join(grant.scopes),
        )


listening = socket.create_server(("127.0.0.1", 0))
address = f"http://127.0.0.1:{listening.getsockname()[1]}"
server = MCPServer(
    "birds",
    auth_server_provider=Provider(),
    auth=AuthSettings(
        issuer_url=address,
        resource_server_url=f"{address}/mcp",
        required_scopes=["read"],
        validate_token_resource=True,
        client_registration_options=ClientRegistrationOptions(
            enabled=True, valid_scopes=["read"], default_scopes=["read"]
        ),
        revocation_options=RevocationOptions(enabled=True),
    ),
)
application = server.streamable_http_app(json_response=True, stateless_http=True)
print(address, flush=True)
running = uvicorn.Server(uvicorn.Config(application, log_level="error"))
asyncio.run(running.serve(sockets=[listening]))
