"""Who may do what: the caller of each request, by a key, a session, or the address alone."""

from __future__ import annotations

from facecli.server.caller import SCOPES, Caller
from facecli.server.keys import Keys
from facecli.server.refusals import RefusalError
from facecli.server.sessions import Sessions


class Access:
    """Tells who sends a request. keys: None lets everybody do everything."""

    def __init__(self, keys: Keys | None) -> None:
        self.keys, self.sessions = keys, Sessions()

    def caller(self, address: str, authorization: str, token: str) -> Caller:
        """Return the sender of a request. Raises RefusalError for a key that there is not.

        address: of the client. authorization: the header. token: the session's, from the cookie.
        """
        person, proven = self.sessions.held(token) if token else (None, False)
        if self.keys is None:
            return Caller(address, SCOPES[-1], person, proven)
        if authorization:
            kind, _, key = authorization.partition(" ")
            found = self.keys.scope(key.strip()) if kind.lower() == "bearer" else None
            if found is None:
                headers = {"WWW-Authenticate": "Bearer"}
                raise RefusalError(401, "unauthorised", "there is no such key", headers=headers)
            return Caller(f"key {found[0]}", found[1], person, proven)
        return Caller(person or address, "identify" if person else None, person, proven)
