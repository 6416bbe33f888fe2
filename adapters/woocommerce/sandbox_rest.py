"""The stand-in's REST API: what happens to every request, and what the site tells of itself.

https://woocommerce.github.io/woocommerce-rest-api-docs/.
"""

from __future__ import annotations

from email.utils import formatdate

from flask import Flask, Response, g, request

from adapters.woocommerce.sandbox_answers import Office, answer, authenticate, spoil
from adapters.woocommerce.sandbox_desk import Refusal
from adapters.woocommerce.sandbox_payloads import Body, error, links
from adapters.woocommerce.sandbox_routes import ROUTES


def build(office: Office) -> Flask:
    """The application, ready to be served."""
    app = Flask("woocommerce-sandbox")
    app.url_map.strict_slashes = False

    _watch(app, office)

    @app.errorhandler(Refusal)
    def refuse(refusal: Refusal) -> Response:
        return answer(office, refusal.body, refusal.status)

    @app.errorhandler(404)
    @app.errorhandler(405)
    def no_route(_: Exception) -> Response:
        told = "No route was found matching the URL and request method."
        return answer(office, error("rest_no_route", told, 404), 404)

    for route in ROUTES:
        route(app, office)
    _route_site(app, office)
    return app


def _watch(app: Flask, office: Office) -> None:
    """What happens to every request and answer: counted, checked, and spoilt on request."""

    @app.before_request
    def before() -> Response | None:
        if not request.path.startswith("/wp-json"):
            return None
        office.visitors.come()
        g.visitor = True
        planned = office.mischief.next_answer()
        if planned is not None:
            spoilt = spoil(planned.kind, planned.seconds)
            if spoilt is not None:
                return spoilt
        if request.path.startswith("/wp-json/wc/"):
            authenticate(office)
        return None

    @app.after_request
    def after(response: Response) -> Response:
        response.headers.setdefault("Date", formatdate(usegmt=True))
        if g.get("torn"):
            whole = response.get_data()
            response.set_data(whole[: len(whole) // 2])
            response.headers["Content-Length"] = str(len(whole))
            response.headers["Connection"] = "close"
        return response

    @app.teardown_request
    def leave(_: BaseException | None) -> None:
        if g.pop("visitor", False):
            office.visitors.go()


def _route_site(app: Flask, office: Office) -> None:
    site, desk = office.desk.site, office.desk

    @app.get("/wp-json/")
    def root() -> Response:
        offset = desk.clock().astimezone(site.zone).utcoffset()
        hours = (offset.total_seconds() if offset else 0) / 3600
        return answer(
            office,
            {
                "name": site.name,
                "description": "",
                "url": site.url,
                "home": site.url,
                "gmt_offset": int(hours) if hours.is_integer() else hours,
                "timezone_string": site.timezone,
                "namespaces": ["wc/v3", "wc/store", "wp/v2"],
            },
        )

    settings = {
        "woocommerce_default_country": ("Country / State", "NO"),
        "woocommerce_currency": ("Currency", site.currency),
        "woocommerce_price_num_decimals": ("Number of decimals", "2"),
    }

    def setting(name: str) -> Body:
        label, value = settings[name]
        about = {"id": name, "label": label, "description": "", "type": "text", "default": ""}
        return about | {"value": value, "_links": links(site, f"settings/general/{name}")}

    @app.get("/wp-json/wc/v3/settings/general")
    def list_settings() -> Response:
        return answer(office, [setting(name) for name in settings])

    @app.get("/wp-json/wc/v3/settings/general/<name>")
    def get_setting(name: str) -> Response:
        if name not in settings:
            raise Refusal("rest_setting_setting_invalid", "Invalid setting.", 404)
        return answer(office, setting(name))

    @app.get("/wp-json/wc/v3/data/currencies/current")
    def currency() -> Response:
        known = {"code": site.currency, "name": site.currency, "symbol": site.symbol}
        path = f"data/currencies/{site.currency}"
        return answer(office, known | {"_links": links(site, path, methods=("GET",))})
