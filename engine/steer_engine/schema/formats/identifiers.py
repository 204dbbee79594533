"""URIs and IRIs with their references and templates, JSON pointers, UUIDs."""

from __future__ import annotations

import re

from steer_engine.schema.formats.hosts import is_ipv6

_WIDE = (  # RFC 3987 ucschar
    "\xa0-\ud7ff\uf900-\ufdcf\ufdf0-\uffef"
    + "".join(f"{chr(plane * 0x10000)}-{chr(plane * 0x10000 + 0xFFFD)}" for plane in range(1, 14))
    + "\U000e1000-\U000efffd"
)
_PRIVATE = "\ue000-\uf8ff\U000f0000-\U000ffffd\U00100000-\U0010fffd"  # RFC 3987 iprivate
_PERCENT = "%[0-9a-fA-F]{2}"
LITERAL = r"(?P<literal>[^\[\]]*)"
"""An address in brackets, which the expressions below leave to others."""

FUTURE = re.compile(r"[vV][0-9a-fA-F]+\.[a-zA-Z0-9._~!$&'()*+,;=:-]+")


def _identifier(wide: str, private: str, *, is_reference: bool) -> re.Pattern[str]:
    """Return the expression of RFC 3986 appendix A, with further characters."""
    plain = rf"a-zA-Z0-9._~!$&'()*+,;=\-{wide}"
    segment = rf"(?:[{plain}:@]|{_PERCENT})"
    path = rf"(?:/{segment}*)*"
    authority = (
        rf"//(?:(?:[{plain}:]|{_PERCENT})*@)?"
        rf"(?:\[{LITERAL}\]|(?:[{plain}]|{_PERCENT})*)(?::[0-9]*)?{path}"
    )
    absolute = rf"/(?:{segment}+{path})?"
    begins = "[a-zA-Z][a-zA-Z0-9+.-]*:"
    full = rf"{begins}(?:{authority}|{absolute}|{segment}+{path}|)"
    if is_reference:
        no_colon = rf"(?:[{plain}@]|{_PERCENT})"
        full = (
            rf"(?:(?:{begins})?(?:{authority}|{absolute}|)"
            rf"|{begins}{segment}+{path}|{no_colon}+{path})"
        )
    return re.compile(
        rf"{full}(?:\?(?:[{plain}:@/?{private}]|{_PERCENT})*)?(?:#(?:[{plain}:@/?]|{_PERCENT})*)?"
    )


URI = _identifier("", "", is_reference=False)
URI_REFERENCE = _identifier("", "", is_reference=True)
IRI = _identifier(_WIDE, _PRIVATE, is_reference=False)
IRI_REFERENCE = _identifier(_WIDE, _PRIVATE, is_reference=True)

_VARIABLE = rf"(?:[a-zA-Z0-9_]|{_PERCENT})(?:\.?(?:[a-zA-Z0-9_]|{_PERCENT}))*"
_SPECIFIED = rf"{_VARIABLE}(?:\*|:[1-9][0-9]{{0,3}})?"
TEMPLATE = re.compile(
    rf"(?:[!#$&-;=?-\[\]_a-z~{_WIDE}{_PRIVATE}]|{_PERCENT}"
    rf"|\{{[+#./;?&=,!@|]?{_SPECIFIED}(?:,{_SPECIFIED})*\}})*"
)
POINTER = re.compile(r"(?:/(?:[^~/]|~[01])*)*")
RELATIVE_POINTER = re.compile(rf"(?:0|[1-9][0-9]*)(?:[+-][1-9][0-9]*)?(?:#|{POINTER.pattern})")
UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def uuid_pattern(version: int) -> str:
    """Return a pattern for the UUIDs of one version, as RFC 9562 lays them out."""
    digit = "[0-9a-fA-F]"
    return f"^{digit}{{8}}-{digit}{{4}}-{version}{digit}{{3}}-[89abAB]{digit}{{3}}-{digit}{{12}}$"


def is_uri(text: str) -> bool:
    """RFC 3986, with a scheme."""
    return _is_identifier(text, URI)


def is_uri_reference(text: str) -> bool:
    """RFC 3986, also relative."""
    return _is_identifier(text, URI_REFERENCE)


def is_iri(text: str) -> bool:
    """RFC 3987, with a scheme."""
    return _is_identifier(text, IRI)


def is_iri_reference(text: str) -> bool:
    """RFC 3987, also relative."""
    return _is_identifier(text, IRI_REFERENCE)


def _is_identifier(text: str, expression: re.Pattern[str]) -> bool:
    match = expression.fullmatch(text)
    if match is None:
        return False
    literal = match["literal"]
    return literal is None or is_ipv6(literal) or FUTURE.fullmatch(literal) is not None


def is_uri_template(text: str) -> bool:
    """RFC 6570."""
    return TEMPLATE.fullmatch(text) is not None


def is_json_pointer(text: str) -> bool:
    """RFC 6901."""
    return POINTER.fullmatch(text) is not None


def is_relative_json_pointer(text: str) -> bool:
    """A number of steps upwards, then a JSON pointer or `#`."""
    return RELATIVE_POINTER.fullmatch(text) is not None


def is_uuid(text: str) -> bool:
    """RFC 4122."""
    return UUID.fullmatch(text) is not None
