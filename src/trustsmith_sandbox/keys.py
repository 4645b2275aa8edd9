"""Private keys: the OIDC issuer's, the sealed boxes of secrets, and the one behind job request tokens.

Keys live as long as the process and are ``kept`` beside the world, so they survive a reset. They must
never be put into ``World.data``, logged or answered; only public halves leave this module.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm
from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, SealedBox

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trustsmith_sandbox.world import World

_RSA_BITS = 2048
_PUBLIC_EXPONENT = 65537


@dataclass(frozen=True)
class SigningKey:
    """An RSA key that signs tokens; ``kid`` names it in the key set."""

    private: rsa.RSAPrivateKey
    kid: str

    @staticmethod
    def make() -> SigningKey:
        """Generate a key with a random id."""
        private = rsa.generate_private_key(public_exponent=_PUBLIC_EXPONENT, key_size=_RSA_BITS)
        return SigningKey(private, secrets.token_hex(20).upper())

    def sign(self, claims: Mapping[str, Any]) -> str:
        """Return the claims as an RS256 JWT."""
        return jwt.encode(dict(claims), self.private, algorithm="RS256", headers={"kid": self.kid})

    def public(self) -> dict[str, Any]:
        """Return the public half as a JSON Web Key (RFC 7517)."""
        key: dict[str, Any] = json.loads(RSAAlgorithm.to_jwk(self.private.public_key()))
        del key["key_ops"]
        return key | {"use": "sig", "alg": "RS256", "kid": self.kid}


def issuer_key(world: World) -> SigningKey:
    """Return the key of the Actions token issuer."""
    return world.kept("keys.issuer", SigningKey.make)


def process_secret(world: World) -> bytes:
    """Return 32 random bytes that only this process knows."""
    return world.kept("keys.process", lambda: secrets.token_bytes(32))


def _box(world: World, owner: str) -> PrivateKey:
    # Derived, so that each environment has its own key and none has to be stored or survive anything.
    return PrivateKey(hmac.digest(process_secret(world), owner.encode(), hashlib.sha256))


def box_public(world: World, owner: str) -> dict[str, str]:
    """Return ``{"key_id", "key"}`` of the sealed box of ``owner`` (an environment, repository, organization)."""
    public = bytes(_box(world, owner).public_key)
    key_id = str(int.from_bytes(hashlib.sha256(public).digest()[:8]))
    return {"key_id": key_id, "key": base64.b64encode(public).decode()}


def box_open(world: World, owner: str, sealed: bytes) -> bytes | None:
    """Return what was sealed for ``owner``, or None if it was sealed for somebody else."""
    try:
        return SealedBox(_box(world, owner)).decrypt(sealed)
    except CryptoError:
        return None
