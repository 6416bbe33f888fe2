"""Whose certificates are believed, and what is said of one that is not.

Nothing switches this off: no setting, and no variable of the surroundings. ``SSL_CERT_FILE`` (or
``REQUESTS_CA_BUNDLE``) may name other authorities, those of a company whose proxy looks into
everything; then theirs are believed instead of everybody's.
"""

from __future__ import annotations

import os
import ssl

_NAMES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")


def named_authorities() -> str | None:
    """The file of certificates that an admin named, if any."""
    return next((file for name in _NAMES if (file := os.environ.get(name))), None)


def distrust(error: BaseException) -> str | None:
    """What is wrong with the other side's certificate, if that is why there was no answer.

    OpenSSL's words, such as "certificate has expired".
    """
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLCertVerificationError):
            return f"its certificate is not to be trusted: {seen.verify_message}"
        seen = seen.__cause__ or seen.__context__
    return None


def silence(error: BaseException) -> str:
    """Why there was no answer, without the error's own text: that may hold addresses and keys."""
    return distrust(error) or type(error).__name__
