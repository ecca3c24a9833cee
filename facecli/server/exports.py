"""All that a gallery has of one person, for that person: it is theirs."""

from __future__ import annotations

import io
import json
import zipfile

from facecli.gallery.store import spaces
from facecli.gallery.store.records import Person
from facecli.gallery.store.store import GalleryStore
from facecli.output import galleries, records


def as_zip(store: GalleryStore, person: Person) -> bytes:
    """Return all that a gallery has of a person as a zip: person.json, and a JPEG of each face that has one."""
    templates = store.templates((person.name,)) if person.templates else None
    vectors = {} if templates is None else dict(zip(templates.faces, templates.embeddings, strict=True))
    space, faces = store.space, store.faces(person)
    listed = [
        galleries.face(face) | {"embedding": records.embedding(vectors[face.id]) if face.id in vectors else None}
        for face in faces
    ]
    shown = galleries.person(person)
    document = {"person": shown, "space": None if space is None else space.identity, "faces": listed}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("person.json", json.dumps(document, indent=2, ensure_ascii=False))
        for face in faces:
            if (jpeg := spaces.crop(store, face.id)) is not None:
                archive.writestr(f"faces/{face.id}.jpg", jpeg)
    return buffer.getvalue()
