"""The tables of a gallery file, version 1.

`meta` holds the gallery's uuid, the time of its making, its revision, which rises with every change, and its state,
which is drawn anew at every change: a backup that was put back and changed has another one at the same revision. A
`space` is what embeddings can be compared in: the recognizer and detector as they ran. A `person` is named, unnamed or
ignored; `key` is the name as names are compared, unique among people. `picture` is known by the sha256 of its bytes. A
`face` is a place in a picture, of a person or of nobody; a `template` its embedding in a space, float32 little-endian.
A `rejection` says for ever that a face is not of a person. `journal` holds what can be taken back.
"""

from __future__ import annotations

APPLICATION_ID = 0x66636C67  # "fclg"
VERSION = 1

TABLES = (
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    """CREATE TABLE space (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        fingerprint TEXT NOT NULL UNIQUE,
        identity TEXT NOT NULL,
        dim INTEGER NOT NULL CHECK (dim > 0),
        state TEXT NOT NULL CHECK (state IN ('active', 'building', 'retired'))
    )""",
    "CREATE UNIQUE INDEX space_active ON space (state) WHERE state = 'active'",
    """CREATE TABLE person (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        uid TEXT NOT NULL UNIQUE,
        name TEXT NOT NULL,
        key TEXT NOT NULL UNIQUE,
        kind TEXT NOT NULL CHECK (kind IN ('known', 'unnamed', 'ignored')),
        created TEXT NOT NULL
    )""",
    """CREATE TABLE picture (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        sha256 BLOB NOT NULL UNIQUE CHECK (length(sha256) = 32),
        source BLOB,
        width INTEGER NOT NULL,
        height INTEGER NOT NULL,
        added TEXT NOT NULL
    )""",
    """CREATE TABLE face (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        picture INTEGER NOT NULL REFERENCES picture (id) ON DELETE CASCADE,
        bbox BLOB NOT NULL CHECK (length(bbox) IN (0, 16)),
        landmarks BLOB CHECK (landmarks IS NULL OR length(landmarks) = 40),
        score REAL,
        person INTEGER REFERENCES person (id) ON DELETE SET NULL,
        how TEXT NOT NULL CHECK (how IN ('enroll', 'user', 'cluster', 'web', 'import')),
        crop BLOB,
        UNIQUE (picture, bbox)
    )""",
    "CREATE INDEX face_person ON face (person)",
    "CREATE UNIQUE INDEX face_person_once ON face (picture, person) WHERE person IS NOT NULL",
    """CREATE TABLE template (
        face INTEGER NOT NULL REFERENCES face (id) ON DELETE CASCADE,
        space INTEGER NOT NULL REFERENCES space (id),
        embedding BLOB NOT NULL,
        PRIMARY KEY (face, space)
    ) WITHOUT ROWID""",
    """CREATE TABLE rejection (
        face INTEGER NOT NULL REFERENCES face (id) ON DELETE CASCADE,
        person INTEGER NOT NULL REFERENCES person (id) ON DELETE CASCADE,
        PRIMARY KEY (face, person)
    ) WITHOUT ROWID""",
    """CREATE TABLE journal (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        time TEXT NOT NULL,
        action TEXT NOT NULL,
        backward TEXT NOT NULL
    )""",
    """CREATE TABLE operating_point (
        space INTEGER NOT NULL REFERENCES space (id) ON DELETE CASCADE,
        rate REAL NOT NULL,
        threshold REAL NOT NULL,
        people INTEGER NOT NULL,
        searches INTEGER NOT NULL,
        revision INTEGER NOT NULL,
        PRIMARY KEY (space, rate)
    ) WITHOUT ROWID""",
)
