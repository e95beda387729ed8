"""XML documents: written as text, read as small trees without entities."""

from __future__ import annotations

import re
from collections.abc import Mapping
from xml.etree.ElementTree import Element, ParseError, XMLParser
from xml.sax.saxutils import escape

from emulator.storage.http import Reply
from emulator.storage.xml.errors import XmlError
from emulator.web import Header

DECLARATION = "<?xml version='1.0' encoding='UTF-8'?>"
TYPE = (b"content-type", b"application/xml; charset=UTF-8")
# Google's listings name this; its multipart answers name that of Amazon S3, and clients look for it
NAMESPACE = "http://doc.s3.amazonaws.com/2006-03-01"
S3_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")


def element(name: str, *parts: str) -> str:
    """An element around parts that are XML already."""
    content = "".join(parts)
    return f"<{name}>{content}</{name}>" if content else f"<{name}/>"


def text(name: str, value: object) -> str:
    """An element around plain text; characters that XML has not are written by number."""
    return element(name, escape_text(str(value)))


def texts(values: Mapping[str, object]) -> str:
    """An element for each value that is not None."""
    return "".join(text(name, value) for name, value in values.items() if value is not None)


def escape_text(value: str) -> str:
    """Text as it stands in an element."""
    return CONTROL.sub(lambda found: f"&#x{ord(found[0]):X};", escape(value))


def document(
    name: str,
    *parts: str,
    status: int = 200,
    namespace: str = "",
    headers: list[Header] | None = None,
) -> Reply:
    """An answer whose body is one document."""
    opening = f"<{name} xmlns='{namespace}'>" if namespace else f"<{name}>"
    body = f"{DECLARATION}{opening}{''.join(parts)}</{name}>"
    return Reply(status, body.encode("utf-8", "replace"), [TYPE, *(headers or [])])


def parsed(data: bytes, root: str) -> Element:
    """The document in a body, its namespaces left out. 400 MalformedXML when it is another one."""
    try:
        parser = XMLParser(target=_PlainTree())
        parser.feed(data)
        tree = parser.close()
    except (ParseError, ValueError, LookupError) as error:
        raise malformed(str(error)) from None
    if not isinstance(tree, Element) or tree.tag != root:
        raise malformed(f"Expected element {root}.")
    return tree


def value(tree: Element, path: str, default: str = "") -> str:
    """The text at a path of a document, stripped."""
    return (tree.findtext(path) or default).strip()


def malformed(details: str) -> XmlError:
    """400 MalformedXML."""
    message = (
        "The XML you provided was not well-formed or did not validate against our published schema."
    )
    return XmlError(400, "MalformedXML", message, details)


class _PlainTree:
    """Builds elements named without their namespace; a document type is refused."""

    def __init__(self) -> None:
        self._open: list[Element] = []
        self._root: Element | None = None
        self._last: Element | None = None

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        plain = {_plain(name): text for name, text in attributes.items()}
        made = Element(_plain(tag), plain)
        if self._open:
            self._open[-1].append(made)
        else:
            self._root = made
        self._open.append(made)
        self._last = None

    def end(self, _: str) -> None:
        self._last = self._open.pop()

    def data(self, data: str) -> None:
        if self._last is not None:
            self._last.tail = (self._last.tail or "") + data
        elif self._open:
            self._open[-1].text = (self._open[-1].text or "") + data

    def doctype(self, *_: str | None) -> None:
        raise ValueError("A document type is not allowed.")

    def close(self) -> Element | None:
        return self._root


def _plain(tag: str) -> str:
    return tag.rpartition("}")[2]
