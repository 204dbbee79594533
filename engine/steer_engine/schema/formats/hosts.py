"""Names and addresses of hosts, and of mailboxes there."""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Callable

MAX_LOCAL_PART = 64
"""Octets before the `@` of a mailbox, RFC 5321 4.5.3.1.1."""

LABEL = re.compile(r"[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?")
_DOTS = re.compile("[.\u3002\uff0e\uff61]")  # RFC 3490 3.1
_LEFTWARDS = frozenset({"R", "AL", "AN"})  # classes of Unicode's bidirectional algorithm
_ATOM = r"[a-zA-Z0-9!#$%&'*+/=?^_`{|}~-]+"
LOCAL_PART = re.compile(rf"{_ATOM}(?:\.{_ATOM})*|\"(?:[^\"\\\x00-\x1f\x7f-\U0010ffff]|\\[ -~])*\"")
_WIDE_ATOM = r"[a-zA-Z0-9!#$%&'*+/=?^_`{|}~\x80-\U0010ffff-]+"
_WIDE_LOCAL_PART = re.compile(
    rf"{_WIDE_ATOM}(?:\.{_WIDE_ATOM})*|\"(?:[^\"\\\x00-\x1f\x7f]|\\[ -~])*\""
)


def is_hostname(text: str) -> bool:
    """RFC 1123; what begins with `xn--` has to be a name of RFC 5890."""
    return len(text) <= 253 and all(
        LABEL.fullmatch(label) is not None and (label[2:4] != "--" or _is_international(label))
        for label in text.split(".")
    )


def _is_international(label: str) -> bool:
    import idna

    try:
        idna.ulabel(label)
    except idna.IDNAError:
        return False
    return label[:2].lower() == "xn"


def is_idn_hostname(text: str) -> bool:
    """RFC 5890, in characters or as it is sent; where a label runs to the left, also RFC 5893."""
    import idna

    try:
        labels = [_read_label(label) for label in _DOTS.split(text)]
        if any(unicodedata.bidirectional(each) in _LEFTWARDS for each in "".join(labels)):
            for label in labels:
                idna.check_bidi(label, check_ltr=True)
        sent = ".".join(label if label.isascii() else _sent(label) for label in labels)
    except idna.IDNAError:
        return False
    return is_hostname(sent)


def _read_label(label: str) -> str:
    """Return an `xn--` label in characters; raises `IDNAError` for a wrong one."""
    import idna

    return label if LABEL.fullmatch(label) and label[2:4] != "--" else idna.ulabel(label)


def _sent(label: str) -> str:
    import idna

    return idna.alabel(label).decode("ascii")


def is_ipv4(text: str) -> bool:
    """RFC 2673 dotted quad."""
    return _is_address(text, ipaddress.IPv4Address)


def is_ipv6(text: str) -> bool:
    """RFC 4291, without a zone."""
    return "%" not in text and _is_address(text, ipaddress.IPv6Address)


def _is_address(text: str, kind: Callable[[str], object]) -> bool:
    try:
        kind(text)
    except ValueError:
        return False
    return text.isascii()


def is_email(text: str) -> bool:
    """RFC 5321 mailbox."""
    return _is_mailbox(text, LOCAL_PART, is_hostname)


def is_idn_email(text: str) -> bool:
    """RFC 6531 mailbox."""
    # Who reads a mailbox composes its characters (NFC) before asking for the host.
    return _is_mailbox(unicodedata.normalize("NFC", text), _WIDE_LOCAL_PART, is_idn_hostname)


def _is_mailbox(text: str, local_part: re.Pattern[str], is_host: Callable[[str], bool]) -> bool:
    local, at, domain = text.rpartition("@")
    n_octets = len(local.encode("utf-8", "surrogatepass"))
    if not at or not local_part.fullmatch(local) or n_octets > MAX_LOCAL_PART:
        return False
    if domain.startswith("[") and domain.endswith("]"):
        literal = domain[1:-1]
        return is_ipv6(literal[5:]) if literal.lower().startswith("ipv6:") else is_ipv4(literal)
    return is_host(domain)
