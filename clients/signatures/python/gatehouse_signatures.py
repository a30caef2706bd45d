"""Signs requests and verifies those that Gatehouse has signed (docs/signatures.md).

One module, nothing but the standard library (Python 3.8 or newer): copy it into a project, or import it from here.
"""

import hashlib
import hmac
import re
import time
import uuid
from typing import Callable, Iterable, List, Mapping, Optional, Tuple, Union

BODY_SIGNATURE_HEADER = "x-gateway-signature"
SIGNATURE_HEADER = "x-gateway-signature-v2"
UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"

_FORM = re.compile(
    r"keyid=([A-Za-z0-9._-]{1,64});t=([1-9][0-9]{0,10});nonce=([A-Za-z0-9_-]{16,64});"
    r"digest=([0-9a-f]{64}|UNSIGNED-PAYLOAD);headers=([a-z0-9-]+(?:,[a-z0-9-]+)*)?;sig=([0-9a-f]{64})"
)
_MAX_LENGTH = 2048

# Pairs of name and value, as they came; names in any case.
Headers = Iterable[Tuple[str, str]]


class SignatureError(Exception):
    """Why a request is not to be believed: `code` is missing, invalid, expired or replayed."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def sign(
    method: str,
    host: str,
    target: str,
    headers: Headers,
    body: bytes,
    key_id: str,
    secret: Union[str, bytes],
    covered: Iterable[str] = (),
    unsigned_payload: bool = False,
    timestamp: Optional[int] = None,
    nonce: Optional[str] = None,
) -> str:
    """The value of X-Gateway-Signature-V2 for a request that is about to be sent.

    `target` is path and query as in the request line, `covered` names headers that are to be signed too.
    """
    names = [name.lower() for name in covered]
    moment = str(int(time.time()) if timestamp is None else timestamp)
    nonce = nonce or str(uuid.uuid4())
    digest = UNSIGNED_PAYLOAD if unsigned_payload else hashlib.sha256(body).hexdigest()
    text = canonical_string(method, host, target, headers, key_id, moment, nonce, digest, names)
    value = _hmac(secret, text)
    return f"keyid={key_id};t={moment};nonce={nonce};digest={digest};headers={','.join(names)};sig={value}"


def verify(
    method: str,
    host: str,
    target: str,
    headers: Headers,
    body: bytes,
    secrets: Mapping[str, Union[str, bytes]],
    tolerance_seconds: int = 300,
    required_headers: Iterable[str] = (),
    accept_unsigned_payload: bool = False,
    spend_nonce: Optional[Callable[[str, str, int], bool]] = None,
    now: Callable[[], float] = time.time,
) -> str:
    """Verifies X-Gateway-Signature-V2: key, request, body, time and nonce. Returns the id of the key that signed.

    `secrets` are all that are accepted, by key id: two of them while one is being changed. `spend_nonce(key_id, nonce,
    ttl_seconds)` returns True the first time and False ever after; ask a store that all processes share. Without it
    replays within the tolerance are not noticed. Raises SignatureError.
    """
    fields = [(name.lower(), value) for name, value in headers]
    key_id, moment, nonce, digest, names, given = _parse([value for name, value in fields if name == SIGNATURE_HEADER])
    secret = secrets.get(key_id) or None
    text = canonical_string(method, host, target, fields, key_id, moment, nonce, digest, names)
    if not hmac.compare_digest(_hmac(secret or b"", text), given) or secret is None:
        raise SignatureError("invalid", "the signature does not match")
    age = now() - int(moment)
    if abs(age) > tolerance_seconds:
        raise SignatureError("expired", "the time of the signature is too far from now")
    for name in required_headers:
        if name.lower() not in names:
            raise SignatureError("invalid", f"{name} is not covered")
    if digest == UNSIGNED_PAYLOAD:
        if not accept_unsigned_payload:
            raise SignatureError("invalid", "the body is not covered")
    elif not hmac.compare_digest(digest, hashlib.sha256(body).hexdigest()):
        raise SignatureError("invalid", "the body is not the one that was signed")
    # Until the signature has expired by every clock, those of other processes too.
    if spend_nonce and not spend_nonce(key_id, nonce, int(tolerance_seconds - age + 61)):
        raise SignatureError("replayed", "the request was sent before")
    return key_id


def sign_body(body: bytes, secret: Union[str, bytes]) -> str:
    """The documented signature of the body alone: `sha256=` and HMAC-SHA256 in hex."""
    return "sha256=" + _hmac(secret, body)


def verify_body(header: Optional[str], body: bytes, secrets: Mapping[str, Union[str, bytes]]) -> bool:
    """Whether X-Gateway-Signature is that of the body by one of the secrets. It does not protect against replays."""
    given = (header or "").encode("utf-8", "surrogateescape")
    return any(hmac.compare_digest(sign_body(body, secret).encode(), given) for secret in secrets.values() if secret)


def canonical_string(
    method: str,
    host: str,
    target: str,
    headers: Headers,
    key_id: str,
    timestamp: str,
    nonce: str,
    digest: str,
    names: List[str],
) -> bytes:
    """The string that is signed. Texts are latin-1, a character a byte, as WSGI (PEP 3333) and ASGI have them."""
    fields = [
        ("keyid", key_id),
        ("timestamp", timestamp),
        ("nonce", nonce),
        ("method", method),
        ("host", host.lower()),
        ("target", target),
        ("digest", digest),
        ("headers", ",".join(names)),
    ]
    known = [(name.lower(), value) for name, value in headers]
    fields += [(name, _value_of(name, known)) for name in names]
    text = "".join(f"{name}:{len(value)}:{value}\n" for name, value in fields)
    try:
        return ("gatehouse-signature-v2\n" + text).encode("latin-1")
    except UnicodeEncodeError:
        raise SignatureError("invalid", "a part of the request is no latin-1") from None


def _parse(values: List[str]) -> Tuple[str, str, str, str, List[str], str]:
    if not values:
        raise SignatureError("missing", f"there is no {SIGNATURE_HEADER}")
    found = _FORM.fullmatch(values[0]) if len(values) == 1 and len(values[0]) <= _MAX_LENGTH else None
    if not found:
        raise SignatureError("invalid", "the signature is malformed")
    key_id, moment, nonce, digest, joined, given = found.groups()
    names = joined.split(",") if joined else []
    if len(set(names)) < len(names):
        raise SignatureError("invalid", "a header is named twice")
    return key_id, moment, nonce, digest, names, given


def _value_of(name: str, headers: List[Tuple[str, str]]) -> str:
    values = [value.strip(" \t") for other, value in headers if other == name]
    if not values:
        raise SignatureError("invalid", f"the signed header {name} is not there")
    return ("; " if name == "cookie" else ", ").join(values)


def _hmac(secret: Union[str, bytes], data: bytes) -> str:
    key = secret.encode() if isinstance(secret, str) else secret
    return hmac.new(key, data, hashlib.sha256).hexdigest()
