# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Secrets encrypted at rest: AES-256-GCM bound to the record that holds them.

A token reads ``oda1.<key id>.<base64url(nonce + ciphertext + tag)>``. ``aad`` (for
instance ``oda.account:7:token``) is authenticated with it: a token copied to
another row or another field does not open there.

The key comes from the file named by the environment variable
``ODA_SECRET_KEY_FILE`` or, without it, from ``secret_key`` in ``[oda]``. Several keys
may be given (commas or lines): the first seals, all unseal. To roll over, put the
new key first, :func:`reseal` what :func:`needs_reseal`, remove the old one.
"""

import base64
import binascii
import functools
import hmac
import os
import re

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from . import settings

KEY_FILE_VARIABLE = "ODA_SECRET_KEY_FILE"
MIN_KEY_LENGTH = 32  # characters; what `openssl rand -base64 32` exceeds
_VERSION = "oda1"
_NONCE = 12  # bytes
_TAG = 16  # bytes
_TOKEN = re.compile(r"oda1\.([0-9a-f]{16})\.([A-Za-z0-9_-]+={0,2})\Z")
_ADVICE = "Make one with: openssl rand -base64 32"


class SealError(Exception):
    """Anything that keeps a secret from being sealed or opened."""


class SealingKeyMissing(SealError):
    """The server has no usable sealing key: a matter for its operator."""


class SealBroken(SealError):
    """A token that does not open: damaged, moved, or its key was removed."""


@functools.lru_cache(maxsize=16)
def _derive(secret):
    """Return (key id, AESGCM) of one configured key; HKDF, so any text will do."""
    material = HKDF(hashes.SHA256(), 40, salt=None, info=b"oda.sealing.v1").derive(
        secret.encode()
    )
    return material[32:].hex(), AESGCM(material[:32])


def _secrets():
    path = os.environ.get(KEY_FILE_VARIABLE)
    if path:
        source = f"the file named by {KEY_FILE_VARIABLE}"
        try:
            with open(path, encoding="utf-8") as handle:
                lines = handle.read().splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise SealingKeyMissing(f"Cannot read {source}.") from error
        text = ",".join(line for line in lines if not line.lstrip().startswith("#"))
    else:
        source = "option secret_key of section [oda] in the configuration file"
        text = settings.oda_section()["secret_key"]
    keys = [key.strip() for key in text.split(",") if key.strip()]
    if not keys:
        raise SealingKeyMissing(f"No sealing key: {source} is empty. {_ADVICE}")
    if any(len(key) < MIN_KEY_LENGTH for key in keys):
        raise SealingKeyMissing(
            f"A sealing key in {source} is shorter than {MIN_KEY_LENGTH} characters."
            f" {_ADVICE}"
        )
    return keys


def _configured_keys():
    return [_derive(key) for key in _secrets()]


def _bind(key_id, aad):
    if not aad:
        raise ValueError("aad must name the record and field that hold the secret")
    return f"{_VERSION}\0{key_id}\0{aad}".encode()


def seal(plaintext, aad):
    """Encrypt ``plaintext`` (str, may be empty) for the place named by ``aad``.

    :return: token, ASCII, about 4/3 of the length plus 60; differs at every call
    :raise SealingKeyMissing: no key, or one too short
    """
    key_id, cipher = _configured_keys()[0]
    nonce = os.urandom(_NONCE)
    sealed = nonce + cipher.encrypt(nonce, plaintext.encode(), _bind(key_id, aad))
    return f"{_VERSION}.{key_id}.{base64.urlsafe_b64encode(sealed).decode()}"


def _split(token):
    match = _TOKEN.match(token) if isinstance(token, str) else None
    try:
        raw = base64.urlsafe_b64decode(match.group(2)) if match else b""
    except binascii.Error:
        raw = b""
    # One spelling only: the last character may carry bits that decode to nothing.
    if match and base64.urlsafe_b64encode(raw).decode() != match.group(2):
        raw = b""
    if len(raw) < _NONCE + _TAG:
        raise SealBroken("This is not a sealed secret, or it was cut short.")
    return match.group(1), raw


def unseal(token, aad):
    """Decrypt a token made by :func:`seal` with the same ``aad``.

    :raise SealBroken: not a token, altered, sealed for another place, or sealed
        with a key that is no longer configured
    :raise SealingKeyMissing: no key at all
    """
    key_id, raw = _split(token)
    cipher = dict(_configured_keys()).get(key_id)
    if cipher is None:
        raise SealBroken(
            "This secret was sealed with a key that is no longer configured: put the"
            " old key back after the new one, or enter the secret again."
        )
    try:
        return cipher.decrypt(raw[:_NONCE], raw[_NONCE:], _bind(key_id, aad)).decode()
    except InvalidTag:
        raise SealBroken(
            "This secret does not open here: it was altered, or moved from another"
            " record. Enter it again."
        ) from None


def looks_sealed(value):
    """True when ``value`` has the shape of a token (says nothing of its key)."""
    try:
        _split(value)
    except SealBroken:
        return False
    return True


def needs_reseal(token):
    """True when ``token`` was sealed with another key than the first one.

    :raise SealBroken: not a token
    """
    return _split(token)[0] != _configured_keys()[0][0]


def reseal(token, aad):
    """The same secret under the first key, a fresh token; errors as :func:`unseal`."""
    return seal(unseal(token, aad), aad)


@functools.lru_cache(maxsize=16)
def _signing_key(secret):
    return HKDF(hashes.SHA256(), 32, salt=None, info=b"oda.signing.v1").derive(
        secret.encode()
    )


def sign(text, purpose):
    """Return a signature (43 characters, safe in an address) of ``text``.

    For what we hand out and take back unsealed, such as a link in a letter.

    :param str text: what is signed
    :param str purpose: what the signature allows; no other purpose accepts it
    :raise SealingKeyMissing: no key, or one too short
    """
    return _signature(_signing_key(_secrets()[0]), text, purpose)


def is_signed(text, signature, purpose):
    """True when ``signature`` was made by :func:`sign` with a configured key."""
    return any(
        hmac.compare_digest(
            _signature(_signing_key(secret), text, purpose).encode(),
            str(signature).encode(),
        )
        for secret in _secrets()
    )


def _signature(key, text, purpose):
    digest = hmac.digest(key, f"{len(purpose)}:{purpose}{text}".encode(), "sha256")
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
