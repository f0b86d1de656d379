"""Fingerprints of the pages of a PDF: two pages that have the same one look the same.

An edited sentence changes a page or two; the pictures of the others are those that are there. The numbers of
objects do not count, nor the names by which a page calls its fonts and pictures: TeX gives others as soon as
a line above is set in another width.
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import TYPE_CHECKING

from labreport.documents import readback
from labreport.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from pypdf import PageObject
    from pypdf.generic import IndirectObject

UNSEEN = {
    "/Page": {"/Parent", "/StructParents", "/Contents", "/Resources"},
    "/Annot": {"/P", "/StructParent", "/Dest", "/A"},
}
"""What of a page, or of a link on it, does not show or names other pages, or is looked at by itself."""

CALLED = {b"Tf": "/Font", b"Do": "/XObject", b"gs": "/ExtGState"}
"""The operators by which a page calls what its resources name, with the kinds of these."""

_CALL = re.compile(rb"(/[^\s/\[\]()<>{}%]+)(\s+(?:[-\d.]+\s+)?(Tf|Do|gs)\b)")


def of_pages(pdf: Path) -> list[str]:
    """Return a fingerprint for each page of a PDF; InputError if it cannot be read."""
    from pypdf.errors import PyPdfError

    data = pdf.read_bytes()
    try:
        reader = readback.opened(data)
        objects = _Objects(sha256(data).hexdigest())
        layers = objects.fingerprint(reader.root_object.get("/OCProperties"))
        return [sha256(f"{layers} {objects.page(page)}".encode()).hexdigest() for page in reader.pages]
    except PyPdfError as error:
        raise InputError(f"{pdf.name} cannot be read back: {error}", cure="build again") from error


class _Objects:
    """The objects of a PDF by what they hold; what is in doubt is the `whole` file, like no other."""

    def __init__(self, whole: str) -> None:
        self._whole = whole
        self._known: dict[tuple[int, int], str] = {}

    def page(self, page: PageObject) -> str:
        """Return the fingerprint of a page without its names for fonts, pictures and states."""
        from pypdf.generic import DictionaryObject

        resources = page.get("/Resources", DictionaryObject()).get_object()
        found = sha256(self.fingerprint(page).encode())
        for kind in sorted(resources.keys() - CALLED.values()):
            found.update(f"{kind} {self.fingerprint(resources.raw_get(kind))} ".encode())

        def called(call: re.Match[bytes]) -> bytes:
            kind, name = CALLED[call[3]], call[1].decode("latin-1")
            named = resources.get(kind, DictionaryObject()).get_object()
            is_known = name in named
            return (self.fingerprint(named.raw_get(name)) if is_known else self._whole).encode() + call[2]

        contents = page.get_contents()
        found.update(_CALL.sub(called, contents.get_data()) if contents is not None else b"")
        return found.hexdigest()

    def fingerprint(self, item: object) -> str:
        """Return the fingerprint of an object, with all that it refers to."""
        from pypdf.generic import ArrayObject, DictionaryObject, IndirectObject, StreamObject

        if isinstance(item, IndirectObject):
            return self._referred(item)
        found = sha256(type(item).__name__.encode())
        if isinstance(item, DictionaryObject):
            for name in sorted(item.keys() - UNSEEN.get(str(item.get("/Type")), set())):
                found.update(f"{name} {self.fingerprint(item.raw_get(name))} ".encode())
        elif isinstance(item, ArrayObject):
            found.update(" ".join(map(self.fingerprint, list.__iter__(item))).encode())
        else:
            found.update(repr(item).encode())
        if isinstance(item, StreamObject):
            found.update(item._data)
        return found.hexdigest()

    def _referred(self, item: IndirectObject) -> str:
        key = item.idnum, item.generation
        if key not in self._known:
            self._known[key] = self._whole  # for what refers to itself
            self._known[key] = self.fingerprint(item.get_object())
        return self._known[key]
