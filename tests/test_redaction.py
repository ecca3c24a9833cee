"""Texts without the secrets of addresses."""

from __future__ import annotations

import pytest

from facecli.redaction import without_secrets


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("can not open rtsp://admin:pa/ss#x@127.0.0.1:9/1: no", "can not open rtsp://127.0.0.1:9/1: no"),
        ("rtsp://admin:1/a?b'c@host/1", "rtsp://host/1"),
        ("rtsp://a:b@c@host/1 and http://d:e@host/2", "rtsp://host/1 and http://host/2"),
        ("http://admin:pa/ss@host/a.m3u8", "http://host/a.m3u8"),
        ("srt://host:9?mode=caller&passphrase=abc", "srt://host:9?mode=caller&passphrase=***"),
        ("http://host/v.cgi?user=a&pass=b&n=1", "http://host/v.cgi?user=***&pass=***&n=1"),
        ("http://host/v.cgi?loginuse=a&loginpas=b", "http://host/v.cgi?loginuse=***&loginpas=***"),
        ("rtsp://host/user=admin_password=X_channel=1/2", "rtsp://host/user=***/2"),
        ("rtsp://host/channel=1_password=X/2", "rtsp://host/channel=1_password=***/2"),
        ("rtspu://a:b/c@host/1", "rtspu://host/1"),
        ("mmsh://a:b#c@host/1", "mmsh://host/1"),
        ("ftp://a:b?c@host/a.mp4", "ftp://host/a.mp4"),
        ("rtsp://host/x?pw=a&ch=1&pw1=b&psw=c&passwd=d", "rtsp://host/x?pw=***&ch=1&pw1=***&psw=***&passwd=***"),
        (
            "http://host/x?key=a&apikey=b&pin=c&token=d&sid=e",
            "http://host/x?key=***&apikey=***&pin=***&token=***&sid=***",
        ),
        ("http://host/x?account=a&login_name=b&userId=c", "http://host/x?account=***&login_name=***&userId=***"),
        ("rtsp://host/ch=1_pw=X/2", "rtsp://host/ch=1_pw=***/2"),
    ],
)
def test_secrets_are_not_shown(text: str, shown: str) -> None:
    assert without_secrets(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "https://host/photo@2x.jpg",
        "https://host:8080/@ada/a.jpg",
        "http://[::1]:80/photo@2x.jpg",
        "s3://bucket/user=5/key=3/a@b.jpg",
        "http://host/x?side=left&spin=1&users=3&pwm=4",
        "me@host is no address",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert without_secrets(text) == text
