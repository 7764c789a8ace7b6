"""OpenID Connect's own part of a login: the address to send a browser to, the request for a code, the ID token.

It stands on authlib, which is loaded at the first login with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus, urlsplit

from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core.claims import CodeIDToken
from joserfc import jwt
from joserfc.errors import BadSignatureError, InvalidKeyIdError, JoseError, MissingKeyError
from joserfc.jwk import ECKey, KeySet, RSAKey

from bot.people.provider import PublishedFacts

# Signed with the provider's private key alone: never `none`, and never a secret that Recado has too.
_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"]
_KEY_TYPES: dict[str, Any] = {"RSA": RSAKey, "EC": ECKey}
_MOST_KEYS = 100
# Clocks differ.
_LEEWAY_SECONDS = 60
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_LONGEST_EMAIL = 320
# Microsoft's ID tokens tell with a claim of its own whether the address's domain is the company's.
_MICROSOFT = "login.microsoftonline.com"


class IdTokenWrong(Exception):
    """An invalid ID token; the text names the rule that it breaks."""


class KeyUnknown(IdTokenWrong):
    """No known key has signed it: the provider may have new ones."""


@dataclass(frozen=True, slots=True)
class LoginSecrets:
    """Random values that bind the provider's answer to the browser that asked: each login has its own."""

    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True, slots=True)
class Client:
    """Recado, as the provider knows it."""

    id: str
    secret: str
    redirect_uri: str


def authorization_url(published: PublishedFacts, client: Client, secrets: LoginSecrets) -> str:
    """The provider's login page for one login."""
    return str(
        prepare_grant_uri(
            published.authorization_endpoint,
            client_id=client.id,
            response_type="code",
            redirect_uri=client.redirect_uri,
            scope="openid email",
            state=secrets.state,
            nonce=secrets.nonce,
            code_challenge=create_s256_code_challenge(secrets.verifier),
            code_challenge_method="S256",
        )
    )


def token_request(
    published: PublishedFacts, client: Client, code: str, verifier: str
) -> tuple[str, dict[str, str], str]:
    """Address, headers and body of the request that redeems a code."""
    posts = "client_secret_post" in published.token_endpoint_auth_methods_supported
    method = "client_secret_post" if posts else "client_secret_basic"
    body = prepare_token_request(
        "authorization_code", code=code, redirect_uri=client.redirect_uri, code_verifier=verifier
    )
    # RFC 6749, 2.3.1: in the header both are encoded as in a form, which the library leaves to its callers.
    known_as = (client.id, client.secret) if posts else (quote_plus(client.id), quote_plus(client.secret))
    auth = ClientAuth(*known_as, method)
    url, headers, body = auth.prepare("POST", published.token_endpoint, dict(_FORM), body)
    return str(url), dict(headers), str(body)


@dataclass(frozen=True, slots=True)
class ExpectedClaims:
    issuer: str
    client_id: str
    nonce: str
    access_token: str


def claims_of(id_token: str, keys: Mapping[str, Any], expected: ExpectedClaims) -> dict[str, Any]:
    """The claims of an ID token that is genuine, for Recado, of this login and of now. Raises IdTokenWrong."""
    try:
        decoded = jwt.decode(id_token, _key_set(keys), algorithms=_ALGORITHMS)
    except (InvalidKeyIdError, MissingKeyError, BadSignatureError) as error:
        raise KeyUnknown("signature") from error
    except (JoseError, ValueError, RecursionError) as error:
        raise IdTokenWrong("format") from error
    options: dict[str, Any] = {
        "iss": {"essential": True, "value": expected.issuer},
        "aud": {"essential": True, "value": expected.client_id},
        "exp": {"essential": True},
        "nonce": {"essential": True, "value": expected.nonce},
    }
    params = {"nonce": expected.nonce, "client_id": expected.client_id, "access_token": expected.access_token}
    claims = CodeIDToken(decoded.claims, decoded.header, options, params)
    try:
        claims.validate(leeway=_LEEWAY_SECONDS)
    except (JoseError, ValueError, TypeError) as error:
        raise IdTokenWrong(str(getattr(error, "claim", None) or "claims")) from error
    return dict(claims)


def email_of(claims: Mapping[str, Any]) -> tuple[str, bool]:
    """The person's address, or "", and whether the provider vouches for it."""
    email = claims.get("email")
    if not isinstance(email, str) or len(email) > _LONGEST_EMAIL or not email.isprintable():
        return "", False
    verified = claims.get("email_verified")
    if verified is None and urlsplit(str(claims.get("iss", ""))).hostname == _MICROSOFT:
        verified = claims.get("xms_edov")
    # Some providers write the truth as a text, Microsoft as a number too.
    return email, verified is True or str(verified).lower() in ("true", "1")


def _key_set(keys: Mapping[str, Any]) -> KeySet:
    """The keys that can check a signature; a provider may publish others beside them."""
    listed, usable = keys.get("keys"), []
    for key in listed[:_MOST_KEYS] if isinstance(listed, list) else []:
        if not isinstance(key, dict) or key.get("use", "sig") != "sig" or key.get("kty") not in _KEY_TYPES:
            continue
        try:
            usable.append(_KEY_TYPES[key["kty"]].import_key(key))
        except (JoseError, ValueError, TypeError, KeyError):
            continue
    return KeySet(usable)
