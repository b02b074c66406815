"""Labels inside picture files: a few named texts in an XMP packet (ISO 16684-1), and nothing personal."""

import html
import io
import re
import warnings
from collections.abc import Mapping
from typing import BinaryIO, Final

from PIL import Image

_NAMESPACE: Final = "urn:artworkshop:label:1"
_ATTRIBUTE: Final = re.compile(r'\blabel:([A-Za-z]+)="([^"]*)"')
_FORMATS: Final = ("JPEG", "PNG", "WEBP", "AVIF")


def packet(label: Mapping[str, str]) -> bytes:
    """Return the XMP packet that holds these texts under names made of letters; equal labels give equal bytes."""
    attributes = " ".join(f'label:{name}="{html.escape(text)}"' for name, text in label.items())
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about="" xmlns:label="{_NAMESPACE}" {attributes}/>'
        '</rdf:RDF></x:xmpmeta><?xpacket end="r"?>'
    ).encode()


def label(file: BinaryIO) -> dict[str, str]:
    """Return the texts that packet() put into this picture file, none if it has none; its pixels are not decoded.

    Raises OSError if it is not a JPEG, PNG, WebP or AVIF file.
    """
    with warnings.catch_warnings(), Image.open(io.BytesIO(file.read()), formats=_FORMATS) as image:
        warnings.simplefilter("ignore")  # of the picture's size; nothing is decoded
        content = image.info.get("xmp", b"")
    text = content.decode(errors="replace") if isinstance(content, bytes) else str(content)
    if f'"{_NAMESPACE}"' not in text:
        return {}
    return {name: html.unescape(value) for name, value in _ATTRIBUTE.findall(text)}
