"""The stand-in's HTTP server: it checks keys and bodies as Mailchimp does."""

from __future__ import annotations

from flask import Flask, g, request
from werkzeug.wrappers import Response

from adapters.mailchimp.sandbox_answers import World, problem
from adapters.mailchimp.sandbox_routes import routes
from adapters.mailchimp.sandbox_store_routes import Mall
from adapters.mailchimp.sandbox_store_words import endpoint as of_stores
from adapters.mailchimp.sandbox_words import read_body
from adapters.town import platform

_MOST_CONNECTIONS = 10


class Server(platform.Server):
    """Serves a world on loopback to who has its key."""

    def __init__(self, world: World, api_key: str, port: int) -> None:
        self.world = world
        self.api_key = api_key
        app = Flask(__name__)
        app.register_blueprint(routes(world))
        Mall(world, lambda: self.url).add_to(app)
        app.before_request(self._check)
        super().__init__(app, endpoint_of, port, most=_MOST_CONNECTIONS)

    def _check(self) -> Response | None:
        if not request.path.startswith("/3.0"):
            return None  # archives are elsewhere, and open to who knows their address
        if request.authorization is None or request.authorization.password != self.api_key:
            return problem(401, "API Key Invalid", "Your API key may be invalid.")
        endpoint = endpoint_of(request.method, request.path)
        try:
            g.body = read_body(endpoint, request.get_data())
        except ValueError as wrong:
            words = (
                "The resource submitted could not be validated. "
                "For field-specific details, see the 'errors' array."
            )
            fields = [{"field": "", "message": str(wrong)}]
            return problem(400, "Invalid Resource", words, fields)
        if g.body is not None:
            self.bodies.append((endpoint, g.body))
        return None


def endpoint_of(method: str, path: str) -> str:
    """The endpoint as Mailchimp's description names it, for counting."""
    if found := of_stores(method, path.removeprefix("/3.0")):
        return found
    parts = path.removeprefix("/3.0").split("/")
    names = {2: "{list_id}", 4: _ITEMS.get(parts[3] if len(parts) > 3 else "", "")}  # noqa: PLR2004 - places
    shown = [names.get(at) or part for at, part in enumerate(parts)]
    return f"{method} {'/'.join(shown)}"


_ITEMS = {
    "members": "{subscriber_hash}",
    "segments": "{segment_id}",
    "merge-fields": "{merge_id}",
    "webhooks": "{webhook_id}",
}
