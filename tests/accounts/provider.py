"""A small OpenID Connect provider: a real HTTP server with real keys, on loopback."""

import base64
import hashlib
import json
import secrets
import threading
import time
from contextlib import contextmanager
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT_ID, CLIENT_SECRET = "dataflow", "a secret of the client"


def new_key():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


class Provider(ThreadingHTTPServer):
    """It lets in the person that ``claims`` describes. What is changed in it, it does wrong."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://localhost:{self.server_address[1]}"
        self.key = self.signs_with = new_key()
        self.algorithm = "RS256"
        self.claims = {"sub": "1001", "preferred_username": "grace", "email": "grace@example.com"}
        # What replaces what the signed token, or the user info, says.
        self.token_claims, self.user_info = {}, {}
        self.codes, self.access_tokens = {}, set()

    def asked(self, query):
        """Where a browser is sent once the person has agreed."""
        assert query["client_id"] == CLIENT_ID
        assert query["code_challenge_method"] == "S256"
        assert set(query["scope"].split()) >= {"openid", "email"}
        code = secrets.token_urlsafe()
        self.codes[code] = query
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"

    def exchange(self, form):
        """The tokens for a code; None if anything does not fit."""
        query = self.codes.pop(form.get("code"), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if (
            query is None
            or challenge != query["code_challenge"]
            or form["redirect_uri"] != query["redirect_uri"]
            or (form["client_id"], form["client_secret"]) != (CLIENT_ID, CLIENT_SECRET)
        ):
            return None
        access = secrets.token_urlsafe()
        self.access_tokens.add(access)
        now = int(time.time())
        claims = {"iss": self.url, "aud": CLIENT_ID, "iat": now, "exp": now + 60}
        claims |= {"sub": self.claims["sub"]} | self.token_claims
        key = self.signs_with if self.algorithm == "RS256" else ""
        signed = jwt.encode(claims, key, self.algorithm, headers={"kid": "1"})
        return {"access_token": access, "token_type": "Bearer", "id_token": signed}


class _Handler(BaseHTTPRequestHandler):
    server: Provider

    def do_GET(self):
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        bearer = self.headers.get("Authorization", "").removeprefix("Bearer ")
        url = self.server.url
        if parts.path == "/.well-known/openid-configuration":
            self._json(
                {
                    "issuer": url,
                    "authorization_endpoint": f"{url}/authorize",
                    "token_endpoint": f"{url}/token",
                    "userinfo_endpoint": f"{url}/userinfo",
                    "jwks_uri": f"{url}/keys",
                    "token_endpoint_auth_methods_supported": ["client_secret_post"],
                }
            )
        elif parts.path == "/keys":
            public = jwt.algorithms.RSAAlgorithm.to_jwk(self.server.key.public_key(), as_dict=True)
            self._json({"keys": [public | {"kid": "1", "use": "sig", "alg": "RS256"}]})
        elif parts.path == "/userinfo" and bearer in self.server.access_tokens:
            self._json(self.server.claims | self.server.user_info)
        elif parts.path == "/authorize":
            there = escape(self.server.asked(query))
            head = "<title>Provider</title><link rel=icon href=data:,>"
            link = f"<a href='{there}'>Log in as Grace</a>"
            self._send(200, f"{head}{link}".encode(), "text/html")
        else:
            self._send(404, b"", "text/plain")

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = {name: values[0] for name, values in parse_qs(body).items()}
        tokens = self.server.exchange(form)
        self._json(tokens or {"error": "invalid_grant"}, 200 if tokens else 400)

    def _json(self, value, status=200):
        self._send(status, json.dumps(value).encode(), "application/json")

    def _send(self, status, body, kind):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format, *args):  # noqa: A002 - the name is theirs
        """Say nothing."""


@contextmanager
def running():
    """A provider that answers for the block."""
    provider = Provider()
    thread = threading.Thread(target=provider.serve_forever, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        provider.shutdown()
        provider.server_close()
        thread.join()
