"""Things that a shop has once it has been used: an order that was delivered and partly sent back, dead letters, a plan, a replay, an edit.

Requests for made-up ids end at 404. With these, some of them get to the end, so that the answers there are looked at, too.
"""

import base64
import json
import time
import urllib.error
import urllib.request

# The project the local shop calls its own.
PROJECT = "local"
# What the shop is given to do; on a busy machine as well.
PATIENCE_S = 120
PERIOD_S = 0.2
SIGNED = {"by": "schemathesis", "why": "to see what comes back"}


class Refused(Exception):
    """Any answer but a success."""


class Shop:
    """A running shop, called as `token` says."""

    def __init__(self, addresses, token):
        self.addresses = addresses
        self.token = token

    def ask(self, service, method, path, body=None, headers=None):
        """What a service answers; `Refused` for anything but a success."""
        sent = {"Authorization": f"Bearer {self.token(service)}", "Content-Type": "application/json", **(headers or {})}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.addresses[service] + path, data, sent, method=method)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            raise Refused(f"{method} {service}{path}: {error.code} {error.read().decode()}") from error

    def publish(self, topic, attributes, data):
        """Says something on a topic, whatever it is."""
        message = {"attributes": attributes, "data": base64.b64encode(data).decode()}
        url = f"{self.addresses['broker']}/v1/projects/{PROJECT}/topics/{topic}:publish"
        body = json.dumps({"messages": [message]}).encode()
        request = urllib.request.Request(url, body, {"Content-Type": "application/json"}, method="POST")
        urllib.request.urlopen(request, timeout=20).close()


def eventually(what, attempt):
    """What `attempt` finds at last: a service may not have heard yet."""
    end = time.monotonic() + PATIENCE_S
    why = "nothing was found"
    while time.monotonic() < end:
        try:
            found = attempt()
        except Refused as refused:
            found, why = None, refused
        if found:
            return found
        time.sleep(PERIOD_S)
    raise RuntimeError(f"waited in vain for {what}: {why}")


def order(shop):
    """An order of both ledgers, delivered and partly sent back."""
    lines = [{"productId": "66VCHSJNUP", "quantity": 2}, {"productId": "FURN-2", "quantity": 1}]
    placed = shop.ask("gateway", "POST", "/v1/orders", {"customerId": "john-doe", "lines": lines})
    path = f"/v1/orders/{placed['orderId']}"
    eventually("the order to be completed", lambda: shop.ask("oms", "GET", path.removeprefix("/v1"))["status"] == "completed")
    back = {"lines": [{"productId": "66VCHSJNUP", "quantity": 1}], "reason": "changed_mind", "returnId": "back"}
    shop.ask("gateway", "POST", f"{path}/returns", back)
    of_order = f"?orderId={placed['orderId']}"
    returns = eventually("the return to be expected", lambda: shop.ask("warehouse", "GET", f"/returns{of_order}")["returns"])
    shipments = shop.ask("warehouse", "GET", f"/shipments{of_order}")["shipments"]
    return {
        "orders": [placed["orderId"]],
        "shipments": [shipment["shipmentId"] for shipment in shipments],
        "returns": [each["returnId"] for each in returns],
    }


def letters(shop):
    """An event that nobody can read is a dead letter of everybody who listens; one is edited, one replayed."""
    attributes = {
        "Content-Type": "application/json",
        "ce-specversion": "1.0",
        "ce-id": "unreadable",
        "ce-source": "//onlineboutique.com/checkout",
        "ce-type": "com.onlineboutique.order.confirmed.v1",
        "ce-subject": "orders/unreadable",
        "ce-time": "2026-01-01T00:00:00Z",
        "ce-dataschema": "https://onlineboutique.com/schemas/order.confirmed.v1.json",
        "ce-partitionkey": "unreadable",
        "ce-correlationid": "unreadable",
    }
    shop.publish("order-events", attributes, b'{"orderId": 5}')

    def dead():
        found = shop.ask("ops", "GET", "/letters")["letters"]
        return found if len({letter["consumer"] for letter in found}) >= 2 else None

    found = eventually("two consumers' dead letters", dead)
    ids = [letter["letterId"] for letter in found]
    edit = shop.ask("ops", "POST", f"/letters/{ids[0]}/edits", {"patch": {"orderId": "readable"}, **SIGNED})
    plan = shop.ask("ops", "POST", "/plans", {"filter": {"consumer": found[1]["consumer"]}, **SIGNED})["plan"]
    replay = shop.ask("ops", "POST", "/replays", {"plan": plan, **SIGNED})["replayId"]
    return {"letters": ids, "edits": [edit["editId"]], "plans": [plan], "replays": [replay]}


def made(addresses, token):
    """Every thing by its kind."""
    shop = Shop(addresses, token)
    return {
        **order(shop),
        **letters(shop),
        "customers": ["john-doe", "jane-smith"],
        "products": ["L9ECAV7KIM", "6E92ZMYYFZ", "FURN-1"],
    }
