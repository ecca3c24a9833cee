"""Who sends a request, and what they may do."""

from __future__ import annotations

from dataclasses import dataclass

from facecli.server.refusals import RefusalError

SCOPES = ("read", "identify", "enroll", "admin")  # each includes those before it


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sends a request. name: of the key or the address, by which requests are counted.

    scope: the furthest of SCOPES, or None. person: uid of the person who is logged in, or None. proven: whether more
    than a face has shown that it is that person.
    """

    name: str
    scope: str | None
    person: str | None = None
    proven: bool = False

    def may(self, scope: str) -> bool:
        """Return whether the caller has a scope."""
        return self.scope is not None and SCOPES.index(self.scope) >= SCOPES.index(scope)

    def require(self, scope: str) -> None:
        """Raise RefusalError unless the caller has a scope."""
        if self.may(scope):
            return
        if self.scope is None:
            headers = {"WWW-Authenticate": "Bearer"}
            hint = "send Authorization: Bearer KEY"
            raise RefusalError(401, "unauthorised", "this needs a key", hint=hint, headers=headers)
        raise RefusalError(403, "forbidden", f"this needs the scope {scope}, and {self.scope} is what you have")

    def require_proof(self) -> None:
        """Raise RefusalError if a face alone says who is logged in, and the caller may not do all anyway.

        Whoever may look at people's pictures could log in with them, and would have what no key gives them.
        """
        if not self.proven and not self.may(SCOPES[-1]):
            hint = "log in with a PIN, or ask whoever runs the server"
            raise RefusalError(403, "pin", "a face alone is not enough for this", hint=hint)
