"""Texts as they may be shown: without the secrets of web addresses, and not longer than somebody reads.

Addresses and names come from users and strangers, and reach error lines, documents and files of embeddings.
"""

from __future__ import annotations

import re

LONGEST_WORD, LONGEST_TEXT = 400, 1500  # characters; a file's name has up to 255
HIDDEN = "***"
_STREAMS = r"rtsp\w*|rtm[pf]\w*|s?rtp|srt|rist|udp\w*|tcp|tls|mms\w*|s?ftps?"  # also those that are refused
# A password may hold any mark, also those that begin a path. Up to the last @ of a word all is hidden, but for
# addresses of which it can be told that their @ stands in a path, as in https://host:80/photo@2x.jpg.
_ACCOUNT = re.compile(
    rf"(?<=://)[^/?#\s]*@|\b(?P<stream>(?:{_STREAMS})://)\S*@|(?<=://)(?!\[)[^/?#\s:]*:(?!\d{{0,5}}[/?#])\S*@",
    re.IGNORECASE,
)
_SECRET = re.compile(
    r"(?<=[?&;])((?:[^=&#\s]*(?:sig|signature|token|secret|passw|passp|pwd|key|credential|auth|session|policy)[^=&#\s]*"
    r"|[^=&#\s]*(?:pass?|psw|pwd?\d*)|pin|pin_?code|jwt|_?sid|account|user|user_?(?:name|id)|usr|usrname|uname"
    r"|login|login_?(?:use|user|name|id))=)(?!\*\*\*)[^&#\s]+",
    re.IGNORECASE,
)
# As cameras have it: rtsp://host/user=admin_password=X_channel=1
_IN_PATH = re.compile(
    r"(?<=[/_])(user=(?=[^/\s]*_pass)|(?:pass|password|passwd|passphrase|pwd|pw|psw|secret|token)=)(?!\*\*\*)[^/?&#\s]+",
    re.IGNORECASE,
)


def without_secrets(text: str) -> str:
    """Return a text without the user names and passwords of the URLs in it; secrets of a query or path become ***."""
    if "://" not in text:
        return text
    text = _ACCOUNT.sub(lambda found: found["stream"] or "", text)
    return _IN_PATH.sub(rf"\g<1>{HIDDEN}", _SECRET.sub(rf"\g<1>{HIDDEN}", text))


def shortened(text: str, most: int = LONGEST_TEXT) -> str:
    """Return a text of at most `most` characters, each of its words of at most LONGEST_WORD; the middle is left out."""
    if len(text) > LONGEST_WORD:
        text = re.sub(rf"\S{{{LONGEST_WORD + 1},}}", lambda word: _cut(word[0], LONGEST_WORD), text[: 64 * most])
    return _cut(text, most)


def _cut(text: str, most: int) -> str:
    if len(text) <= most:
        return text
    end = most // 4
    return f"{text[: most - end - 1]}…{text[len(text) - end :]}"
