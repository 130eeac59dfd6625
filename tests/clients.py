"""A school's program on one kept connection: little work of its own, for tests that measure or hurry."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

PATIENCE_SECONDS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a server answered; the names of headers in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:  # noqa: ANN401 - whatever it is
        return json.loads(self.body)

    @property
    def is_replayed(self) -> bool:
        return "idempotency-replayed" in self.headers


class Client:
    """Asks one server; a server that is gone raises `OSError` or `http.client.HTTPException`."""

    def __init__(self, address: str, *, token: str, issuer: str | None = None) -> None:
        self._connection = HTTPConnection(urlsplit(address).netloc, timeout=PATIENCE_SECONDS)
        self._headers = {"Authorization": f"Bearer {token}"}
        if issuer is not None:
            self._headers["On-Behalf-Of"] = issuer

    def get(self, path: str) -> Answer:
        return self._ask("GET", path, None, self._headers)

    def post(self, path: str, body: Mapping[str, object], *, key: str | None = None) -> Answer:
        headers = {**self._headers, "Content-Type": "application/json"}
        if key is not None:
            headers["Idempotency-Key"] = key
        return self._ask("POST", path, json.dumps(body).encode(), headers)

    def close(self) -> None:
        self._connection.close()

    def _ask(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Answer:
        try:
            self._connection.request(method, path, body, dict(headers))
            answer = self._connection.getresponse()
            content = answer.read()
        except BaseException:
            self._connection.close()  # the next request begins on a new one
            raise
        told = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(status=answer.status, headers=told, body=content)


def certificate(number: str) -> Mapping[str, object]:
    """Return the request that records one certificate."""
    return {
        "outcome": {
            "kind": "skill-certificate",
            "number": number,
            "standard": "CD-X-JTNC",
            "title": "家庭农场畜禽养殖",
            "level": {"framework": "1+X", "level": "中级"},
            "awarded_on": "2024-06-01",
        }
    }
