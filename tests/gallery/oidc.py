"""A small OpenID Connect provider: discovery, sign-in, tokens signed with a key of its own, and who somebody is."""

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT, SECRET = "workshop", "a secret between the two"


class Provider(ThreadingHTTPServer):
    """Signs in whom `login_hint` names, without a password; `nobody` refuses."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Door)
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.codes: dict[str, dict[str, str]] = {}
        self.tokens: dict[str, str] = {}

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Door(BaseHTTPRequestHandler):
    """The provider's addresses."""

    server: Provider

    def do_GET(self) -> None:
        path, asked = urlsplit(self.path).path, dict(parse_qsl(urlsplit(self.path).query))
        if path == "/authorize":
            self.authorize(asked)
        elif path == "/.well-known/openid-configuration":
            self.say(
                {
                    "issuer": self.server.address,
                    **{f"{name}_endpoint": f"{self.server.address}/{name}" for name in ("token", "userinfo")},
                    "authorization_endpoint": f"{self.server.address}/authorize",
                    "jwks_uri": f"{self.server.address}/keys",
                }
            )
        elif path == "/keys":
            public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.server.key.public_key()))
            self.say({"keys": [{**public, "kid": "one", "alg": "RS256", "use": "sig"}]})
        else:
            name = self.server.tokens[self.headers["Authorization"].removeprefix("Bearer ")]
            self.say(person(name))

    def authorize(self, asked: dict[str, str]) -> None:
        answer = {"state": asked["state"]}
        if asked["login_hint"] == "nobody":
            answer["error"] = "access_denied"
        else:
            answer["code"] = secrets.token_hex(8)
            self.server.codes[answer["code"]] = asked
        self.send_response(302)
        self.send_header("Location", f"{asked['redirect_uri']}?{urlencode(answer)}")
        self.end_headers()

    def do_POST(self) -> None:
        sent = dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
        asked = self.server.codes.pop(sent["code"])
        challenge = base64.urlsafe_b64encode(hashlib.sha256(sent["code_verifier"].encode()).digest()).rstrip(b"=")
        known = (sent["client_id"], sent["client_secret"], sent["redirect_uri"]) == (
            CLIENT,
            SECRET,
            asked["redirect_uri"],
        )
        if not known or challenge.decode() != asked["code_challenge"]:
            self.send_error(400)
            return
        token = secrets.token_hex(8)
        self.server.tokens[token] = asked["login_hint"]
        now = int(time.time())
        facts = {"iss": self.server.address, "aud": CLIENT, "iat": now, "exp": now + 60, **person(asked["login_hint"])}
        signed = jwt.encode(facts, self.server.key, algorithm="RS256", headers={"kid": "one"})
        self.say({"access_token": token, "token_type": "Bearer", "id_token": signed})

    def say(self, facts: dict[str, object]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(facts).encode())

    def log_message(self, *args: object) -> None:
        """Say nothing."""


def person(name: str) -> dict[str, object]:
    """Return what the provider tells of somebody."""
    return {"sub": f"id-{name}", "preferred_username": name, "email": f"{name}@example.org", "email_verified": True}


@contextmanager
def running() -> Iterator[Provider]:
    """Keep a provider for a while."""
    with Provider() as provider:
        threading.Thread(target=provider.serve_forever, daemon=True).start()
        yield provider
        provider.shutdown()
