"""Idempotency keys over HTTP (draft-ietf-httpapi-idempotency-key-header): every route that writes takes one.

The same key with the same request is answered as it was the first time, with `Idempotency-Replayed: true`.
What makes a request the same is its method, its address and its JSON, however that is spaced or ordered;
neither the reader's language nor any other header.
"""

import json
from collections.abc import Callable
from typing import Annotated, TypeVar, cast

from fastapi import Depends, Header, Request, Response

from api.auth.operator import Caller
from api.dependencies import TheBank
from api.written import Message, json_answer
from creditbank.services.bank import Bank
from creditbank.services.idempotency import InFlight, KeyedRequest, Repeated, answer_once

T = TypeVar("T")

REPLAYED = "Idempotency-Replayed"

_Key = Annotated[
    str | None,
    Header(
        max_length=200,
        pattern=r"^[\x21-\x7e]+$",
        description="the same key does nothing twice: the same request is answered as it was the first time",
    ),
]


class Once:
    """Does what a request asks once, however often it comes under its key."""

    def __init__(
        self, bank: Bank, key: str | None, request: KeyedRequest | None, in_flight: InFlight
    ) -> None:
        self.key = key
        self._bank = bank
        self._request = request
        self._in_flight = in_flight

    def created(self, work: Callable[[Bank], T], message_of: Callable[[T], Message]) -> Response:
        """Answer 201 with the message of what `work` returns, or with the one kept for this request.

        Raises:
            IdempotencyKeyReused: the key came before with another request.
            RequestInFlight: the first request under this key is not answered yet.
        """
        if self._request is None:
            return json_answer(message_of(work(self._bank)), status=201)
        done = answer_once(
            self._bank,
            self._request,
            work,
            answer=lambda done: message_of(done).as_repetition().model_dump_json().encode(),
            in_flight=self._in_flight,
        )
        if isinstance(done, Repeated):
            return json_answer(done.answer, status=201, headers={REPLAYED: "true"})
        return json_answer(message_of(done), status=201)


async def _once(request: Request, bank: TheBank, caller: Caller, idempotency_key: _Key = None) -> Once:
    in_flight = cast("InFlight", request.app.state.in_flight)
    if idempotency_key is None:
        return Once(bank, None, None, in_flight)
    asked = (request.method, request.url.path, request.url.query, _in_one_form(await request.body()))
    keyed = KeyedRequest.of(bank, caller, key=idempotency_key, asked=asked)
    return Once(bank, idempotency_key, keyed, in_flight)


def _in_one_form(body: bytes) -> str:
    try:
        return json.dumps(json.loads(body), sort_keys=True)
    except (ValueError, RecursionError):
        return f"not JSON: {body.hex()}"


DoneOnce = Annotated[Once, Depends(_once)]
