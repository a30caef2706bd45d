"""An upstream behind Gatehouse that believes signed requests only: middleware for any WSGI application (PEP 3333).

Try it: SECRET=… python3 wsgi_sample.py 8000
"""

import io
import json
import os
import sys
from wsgiref.simple_server import make_server

from gatehouse_signatures import SignatureError, verify

MAX_BODY_BYTES = 1024 * 1024


class OnlySigned:
    """Answers 401 to requests that the gateway has not signed."""

    def __init__(self, application, secrets, **options):
        self.application = application
        self.secrets = secrets
        self.options = options

    def __call__(self, environ, start_response):
        body = environ["wsgi.input"].read(min(int(environ.get("CONTENT_LENGTH") or 0), MAX_BODY_BYTES))
        try:
            verify(
                environ["REQUEST_METHOD"],
                environ.get("HTTP_HOST", ""),
                target_of(environ),
                headers_of(environ),
                body,
                self.secrets,
                **self.options,
            )
        except SignatureError as error:
            start_response("401 Unauthorized", [("Content-Type", "application/json")])
            return [json.dumps({"error": error.code}).encode()]
        environ["wsgi.input"] = io.BytesIO(body)
        return self.application(environ, start_response)


def target_of(environ):
    """Path and query as they were sent. PATH_INFO is decoded already, so servers that keep the original are asked first."""
    raw = environ.get("RAW_URI") or environ.get("REQUEST_URI")
    if raw:
        return raw
    from urllib.parse import quote

    path = quote(environ.get("PATH_INFO", "").encode("latin-1"), safe="/~!$&'()*+,=:@-._")
    query = environ.get("QUERY_STRING", "")
    return path + ("?" + query if query else "")


def headers_of(environ):
    for name, value in environ.items():
        if name.startswith("HTTP_"):
            yield name[5:].replace("_", "-"), value
    for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(name):
            yield name.replace("_", "-"), environ[name]


def hello(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"signed\n"]


if __name__ == "__main__":
    make_server("127.0.0.1", int(sys.argv[1]), OnlySigned(hello, {"2026-11": os.environ["SECRET"]})).serve_forever()
