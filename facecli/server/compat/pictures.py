"""Pictures in the forms in which clients of other servers send them: a field of a form, base64, or an address."""

from __future__ import annotations

import base64
import binascii
import re

from facecli.pictures.memory import from_bytes
from facecli.pictures.sources import Source
from facecli.server.refusals import RefusalError
from facecli.server.remote import Remote
from facecli.server.uploads import Sent

DATA = re.compile(r"data:[\w/+.-]*;base64,", re.ASCII)


def picture(sent: Sent, name: str, remote: Remote | None = None) -> Source:
    """Return the picture of a field. remote: fetches addresses; None if the field holds none.

    A path of the server's machine is never opened. Raises RefusalError for what is no picture.
    """
    if name in sent.pictures:
        return sent.picture(name)
    text = sent.values.get(name, sent.texts.get(name))
    if not isinstance(text, str) or not text:
        raise RefusalError(400, "usage", f"'{name}' is missing", hint="send a file, or base64")
    if remote is not None and text.lower().startswith(("http://", "https://")):
        return remote.source(text)
    start = DATA.match(text)
    if remote is not None and start is None:
        message = f"'{name}' is no picture: paths of the server are not read"
        raise RefusalError(400, "usage", message, hint="send the file, or data:image/jpeg;base64,...")
    try:
        data = base64.b64decode(text[start.end() if start else 0 :], validate=True)
    except (binascii.Error, ValueError) as error:
        raise RefusalError(400, "usage", f"'{name}' is not base64", hint="send a file, or base64") from error
    return from_bytes(data, name)
