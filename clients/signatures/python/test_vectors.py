"""Runs the test vectors that all implementations share: python3 test_vectors.py"""

import json
import os
import unittest

import gatehouse_signatures as signatures
from wsgi_sample import OnlySigned, hello

HERE = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(HERE, "..", "vectors.json"), encoding="utf-8") as file:
    VECTORS = json.load(file)


def parts(vector):
    return (
        vector["method"],
        vector["host"],
        vector["target"],
        [tuple(header) for header in vector["headers"]],
        vector["body"].encode(),
    )


def verified(vector, signature, **options):
    method, host, target, headers, body = parts(vector)
    if signature is not None:
        headers.append(("X-Gateway-Signature-V2", signature))
    secrets = {vector["keyId"]: vector["secret"], "retired": "a-secret-that-is-going-away-0123456789"}
    options = {"now": lambda: vector["timestamp"] + 1, **options}
    return signatures.verify(method, host, target, headers, body, secrets, **options)


class Vectors(unittest.TestCase):
    def refused(self, code, *args, **options):
        with self.assertRaises(signatures.SignatureError) as caught:
            verified(*args, **options)
        self.assertEqual(caught.exception.code, code)

    def test_signs_and_verifies_what_the_vectors_have(self):
        for vector in VECTORS["signed"]:
            with self.subTest(vector["name"]):
                options = {name: vector[name] for name in ("covered", "timestamp", "nonce")}
                made = signatures.sign(
                    *parts(vector),
                    vector["keyId"],
                    vector["secret"],
                    unsigned_payload=vector["unsignedPayload"],
                    **options,
                )
                self.assertEqual(made, vector["signature"])
                accept = {"accept_unsigned_payload": vector["unsignedPayload"]}
                self.assertEqual(verified(vector, made, **accept), vector["keyId"])
                body = vector["body"].encode()
                self.assertEqual(signatures.sign_body(body, vector["secret"]), vector["bodySignature"])
                self.assertTrue(signatures.verify_body(vector["bodySignature"], body, {"k": vector["secret"]}))
                self.assertFalse(signatures.verify_body(vector["bodySignature"], body + b"x", {"k": vector["secret"]}))

    def test_refuses_what_the_vectors_refuse(self):
        request = VECTORS["refused"]["request"]
        for case in VECTORS["refused"]["headers"]:
            with self.subTest(case["name"]):
                self.refused(case["code"], request, case["signature"], accept_unsigned_payload=True)
        good = VECTORS["signed"][0]["signature"]
        for case in VECTORS["refused"]["tampered"]:
            with self.subTest(case["name"]):
                self.refused("invalid", {**request, **case}, good)

    def test_time_nonces_and_covered_headers(self):
        vector = VECTORS["signed"][0]
        good, moment = vector["signature"], vector["timestamp"]
        self.refused("expired", vector, good, now=lambda: moment + 301)
        self.refused("expired", vector, good, now=lambda: moment - 301)
        self.refused("invalid", vector, good, required_headers=["content-type"])
        self.refused("invalid", VECTORS["signed"][11], VECTORS["signed"][11]["signature"])
        spent = set()

        def spend(key_id, nonce, ttl_seconds):
            fresh = (key_id, nonce) not in spent and ttl_seconds > 300
            spent.add((key_id, nonce))
            return fresh

        self.assertEqual(verified(vector, good, spend_nonce=spend), "2026-11")
        self.refused("replayed", vector, good, spend_nonce=spend)

    def test_the_wsgi_sample(self):
        vector = VECTORS["signed"][0]
        application = OnlySigned(hello, {vector["keyId"]: vector["secret"]}, now=lambda: vector["timestamp"])

        def status(body):
            import io

            seen = []
            environ = {
                "REQUEST_METHOD": vector["method"],
                "HTTP_HOST": vector["host"],
                "PATH_INFO": "/v1/orders",
                "QUERY_STRING": "page=2",
                "CONTENT_TYPE": "application/json",
                "CONTENT_LENGTH": str(len(body)),
                "HTTP_X_GATEWAY_SIGNATURE_V2": vector["signature"],
                "wsgi.input": io.BytesIO(body),
            }
            application(environ, lambda line, headers: seen.append(line))
            return seen[0]

        self.assertEqual(status(vector["body"].encode()), "200 OK")
        self.assertEqual(status(b"{}"), "401 Unauthorized")


if __name__ == "__main__":
    unittest.main()
