"""Amazon's signature of a request, version 4 (https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html)."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote, urlsplit


@dataclass(frozen=True, slots=True)
class AwsKey:
    """An access key for one service in one region."""

    id: str
    secret: str
    region: str
    service: str

    def signed(self, method: str, url: str, body: bytes, at: datetime) -> Mapping[str, str]:
        """The signed headers of a JSON request without a query string; `at` is the time in UTC."""
        parts = urlsplit(url)
        moment = at.strftime("%Y%m%dT%H%M%SZ")
        headers = {"content-type": "application/json", "host": parts.netloc, "x-amz-date": moment}
        names = ";".join(sorted(headers))
        lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
        request = f"{method}\n{quote(parts.path or '/')}\n\n{lines}\n{names}\n{hashlib.sha256(body).hexdigest()}"
        scope = f"{moment[:8]}/{self.region}/{self.service}/aws4_request"
        digest = hashlib.sha256(request.encode()).hexdigest()
        key = f"AWS4{self.secret}".encode()
        for piece in scope.split("/"):
            key = hmac.digest(key, piece.encode(), "sha256")
        signature = hmac.new(key, f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{digest}".encode(), "sha256").hexdigest()
        credential = f"AWS4-HMAC-SHA256 Credential={self.id}/{scope}, SignedHeaders={names}, Signature={signature}"
        return headers | {"authorization": credential}
