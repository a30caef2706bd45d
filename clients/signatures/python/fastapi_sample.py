"""An upstream behind Gatehouse that believes signed requests only: a dependency for FastAPI."""

import os

from fastapi import Depends, FastAPI, HTTPException, Request

from gatehouse_signatures import SignatureError, verify

# The one in use, and the next or the one before while it is being changed.
SECRETS = {"2026-11": os.environ["SECRET"]}


async def only_signed(request: Request) -> str:
    """The id of the key that signed the request; 401 if none did."""
    query = request.scope["query_string"].decode("latin-1")
    target = request.scope["raw_path"].decode("latin-1") + ("?" + query if query else "")
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.scope["headers"]]
    try:
        return verify(request.method, request.headers.get("host", ""), target, headers, await request.body(), SECRETS)
    except SignatureError as error:
        raise HTTPException(401, detail=error.code) from error


app = FastAPI(dependencies=[Depends(only_signed)])


@app.post("/orders")
async def orders(order: dict) -> dict:
    return {"received": order}
