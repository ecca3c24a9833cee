"""Why an exchange over the network failed, in a few words that name the party: the server, the proxy, a certificate."""

from __future__ import annotations

from requests import exceptions

from facecli.redaction import shortened, without_secrets

SOCKS = "Missing dependencies for SOCKS"  # how requests begins to say that PySocks is not installed
PROXY = "mend or unset the variable that names it"  # a hint
CERTIFICATES = "name the file of your certificates in SSL_CERT_FILE, if you trust it"  # a hint


class NetworkError(Exception):
    """An exchange failed. The message is a reason without the URL; hint: what to do, None if nothing special.

    passing: whether another try may help.
    """

    def __init__(self, reason: str, *, hint: str | None = None, passing: bool = False) -> None:
        super().__init__(reason)
        self.hint, self.passing = hint, passing


class ExpiredError(NetworkError):
    """The time for an exchange is up. seconds: how many there were."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"no answer within {seconds:g} s", passing=True)
        self.seconds = seconds


def failure(error: Exception, proxy: str | None) -> NetworkError:
    """Return the error for what requests or urllib3 raised. proxy: the one that was asked, if any."""
    if isinstance(error, NetworkError):
        return error
    reason = _innermost(error)
    place = f"the proxy {without_secrets(proxy)}" if proxy else ""
    if isinstance(error, exceptions.InvalidSchema) and SOCKS in str(error):
        return NetworkError(f"{place} speaks SOCKS, which needs PySocks", hint="pip install pysocks")
    if isinstance(error, exceptions.InvalidProxyURL):
        return NetworkError(f"{place} is no address of a proxy", hint=PROXY)
    if isinstance(error, exceptions.ProxyError):
        return NetworkError(f"{place} does not do its work: {reason}", hint=PROXY, passing=True)
    if isinstance(error, exceptions.SSLError):
        hint = (
            "name the file of your certificates in SSL_CERT_FILE, if you trust it" if "certificate" in reason else None
        )
        return NetworkError(reason, hint=hint)
    if isinstance(error, exceptions.Timeout):
        reason = "no answer for too long"
    final = (exceptions.InvalidURL, exceptions.MissingSchema, exceptions.InvalidSchema, UnicodeError, ValueError)
    return NetworkError(f"{reason}, through {place}" if place else reason, passing=not isinstance(error, final))


def _innermost(error: BaseException) -> str:
    """Return in one line why a request failed: requests wraps errors of urllib3, which wrap those of the system."""
    text = str(error)
    while error.__context__ is not None or error.__cause__ is not None:
        inner = error.__cause__ or error.__context__
        assert inner is not None
        error = inner
        text = (error.strerror if isinstance(error, OSError) else None) or str(error) or text
    return shortened(without_secrets(" ".join(text.split()) or type(error).__name__), 300)
