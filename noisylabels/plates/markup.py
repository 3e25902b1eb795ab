"""XML of plate indexes: it comes from strangers, so no document type, no entities."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from noisylabels.data.errors import InputError

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element


def read_xml(source: Path | bytes, *, name: str = "XML text") -> "Element":
    """Parse a whole document.

    Args:
        source: A file, or its content.
        name: What to call the content in an error.

    Returns:
        The root element.

    Raises:
        InputError: If it is not well-formed or declares a document type.
    """
    from defusedxml import DefusedXmlException, ElementTree

    try:
        return ElementTree.fromstring(source.read_bytes() if isinstance(source, Path) else source, forbid_dtd=True)
    except DefusedXmlException as error:
        raise InputError(_unsafe(source if isinstance(source, Path) else name)) from error
    except ElementTree.ParseError as error:
        raise InputError(_broken(source if isinstance(source, Path) else name, error)) from error


def iterate_xml(path: Path) -> Iterator["tuple[str, Element]"]:
    """Iterate over a large document element by element, each when it ends.

    Yields:
        (name without namespace, element). Clear the ones that are done with.

    Raises:
        InputError: If it is not well-formed or declares a document type.
    """
    from defusedxml import DefusedXmlException, ElementTree

    try:
        for _, element in ElementTree.iterparse(path, forbid_dtd=True):
            yield local_name(element), element
    except DefusedXmlException as error:
        raise InputError(_unsafe(path)) from error
    except ElementTree.ParseError as error:
        raise InputError(_broken(path, error)) from error


def local_name(element: "Element") -> str:
    """Drop the namespace: versions of an instrument's software differ in nothing else."""
    return str(element.tag).rpartition("}")[2]


def texts(element: "Element") -> dict[str, str]:
    """Collect the texts of an element's children by name."""
    return {local_name(child): (child.text or "").strip() for child in element}


def number(text: str) -> float:
    """Read a number as programs of any country write it: `0.5`, `0,5`.

    Examples:
        >>> number("0,0003"), number("16.0")
        (0.0003, 16.0)
    """
    try:
        return float(text.strip().replace(",", "."))
    except ValueError as error:
        msg = f"{text!r} is no number"
        raise ValueError(msg) from error


def whole(text: str) -> int:
    """Read a whole number, `16.0` as well.

    Raises:
        ValueError: If it is none.
    """
    value = number(text)
    if value != int(value):
        msg = f"{text!r} is no whole number"
        raise ValueError(msg)
    return int(value)


def number_or_none(text: str) -> float | None:
    """Read a number of an optional entry; None where it is none."""
    try:
        return number(text)
    except ValueError:
        return None


def _unsafe(name: object) -> str:
    return f"{name} must not declare a document type or entities, but it does. Do not trust this file."


def _broken(name: object, error: Exception) -> str:
    return f"{name} must be well-formed XML, but it is not ({error}). Copy it again from its source."
