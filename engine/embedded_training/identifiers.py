"""Random identifiers: handles, addresses on the internet, telephone numbers and codes."""

import re
import string
import unicodedata

from embedded_training.names import person
from embedded_training.randomness import (
    Source,
    Value,
    digits,
    known_or_pseudo,
    letters,
    pseudo_word,
)


def bare_handle(source: Source) -> Value:
    """Return a user name without an at sign."""
    name = source.word("first_names").lower() if source.chance(0.4) else pseudo_word(source)
    if source.chance(0.15):
        name = source.word("common_words")
    dice = source.rng.random()
    if dice < 0.25:
        name += digits(source, source.between(1, 4))
    elif dice < 0.45:
        name += source.pick("_.-_") + pseudo_word(source, 2)
    elif dice < 0.55:
        name = (
            source.pick(("the", "mr", "real", "its", "just", "dj"))
            + source.pick("_ ").strip()
            + name
        )
    elif dice < 0.65:
        name += "_" + source.pick((*string.ascii_lowercase, source.word("title_words")))
    elif dice < 0.7:
        name = name.capitalize() + source.word("title_words").capitalize()
    return Value(name)


def handle(source: Source) -> Value:
    """Return a user name, mostly with an at sign."""
    name = bare_handle(source).text
    return Value(f"@{name}" if source.chance(0.75) else name)


def author(source: Source) -> Value:
    """Return whoever signs a post: a handle or a name."""
    return handle(source) if source.chance(0.5) else person(source)


def domain_name(source: Source) -> str:
    """Return an internet domain."""
    dice = source.rng.random()
    if dice < 0.45:
        name = pseudo_word(source)
    elif dice < 0.6:
        name = (source.word("company_words") + source.word("title_words")).lower()
    elif dice < 0.9:
        name = source.word("common_words")
    else:
        name = f"{source.word('common_words')}.{source.word('common_words')}"
    if source.chance(0.15):
        name += "-" + pseudo_word(source, 2)
    if source.chance(0.05):
        name = source.pick(string.ascii_lowercase)
    return f"{name}.{source.word('top_level_domains')}"


def email_of(source: Source, name: str, company: str | None) -> Value:
    """Return an address made of the name of a person, and of the company's if there is one."""
    words = [_plain(word) for word in name.split() if not word.endswith(".") and _plain(word)]
    if not words:
        return email(source)
    first, last = words[0], words[-1]
    user = source.pick(
        (
            *[f"{first}.{last}"] * 4,
            *[first] * 2,
            f"{first[0]}.{last}",
            f"{first[0]}{last}",
            f"{first}_{last}",
            f"{first}{last}",
            f"{last}.{first}",
            f"{last}{source.between(1, 99)}",
            f"{first}{source.between(1, 99)}",
        )
    )
    domain = domain_name(source)
    if company and _plain(company) and source.chance(0.4):
        domain = f"{_plain(company)[:24]}.{source.word('top_level_domains')}"
    return Value(f"{user}@{domain}")


def _plain(text: str) -> str:
    """Return the letters of a name as an address has them."""
    bare = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9-]+", "", bare.lower()).strip("-")


def email(source: Source) -> Value:
    """Return an email address."""
    user = bare_handle(source).text.lower()
    if source.chance(0.45):
        first = known_or_pseudo(source, "first_names", 0.5)
        last = known_or_pseudo(source, "last_names", 0.5)
        user = (first + source.pick((".", "_", "", ".")) + last).lower()
    return Value(f"{user}@{domain_name(source)}")


def url(source: Source) -> Value:
    """Return a web address, in most cases with its scheme."""
    prefix = source.pick(
        ("https://", "https://", "https://", "https://", "http://", "www.", "https://www.")
    )
    address = prefix + domain_name(source)
    for _ in range(source.pick((0, 1, 1, 1, 2, 2))):
        address += "/" + source.pick(
            (
                pseudo_word(source),
                source.word("title_words"),
                digits(source, source.between(1, 6)),
                source.word("title_words") + "-" + source.word("title_words"),
                source.word("common_words"),
                source.word("common_words") + source.pick("-_/") + source.word("common_words"),
                letters(source, 2).lower() + digits(source, 2) + letters(source, 1),
            )
        )
    if source.chance(0.12):
        address += f"?{source.pick(('id', 'p', 'ref', 'q'))}={source.between(1, 9999)}"
    return Value(address)


def phone(source: Source) -> Value:
    """Return a telephone number in one of several layouts."""
    layout = source.word("phone_layouts")
    return Value("".join(source.pick("123456789") if sign == "#" else sign for sign in layout))


def code(source: Source) -> Value:
    """Return an identifier such as an order number, now and then with a mark around it."""
    text = _filled(source, source.word("code_layouts"))
    if source.chance(0.08):
        text = f"{source.word('code_prefixes')}{source.pick('-_')}{_hexadecimal(source, 6)}"
    return _marked(source, text) if source.chance(0.5) else Value(text)


def _marked(source: Source, text: str) -> Value:
    """Return an identifier with what people put around one; that does not belong to it."""
    return Value(text, shown=source.word("code_marks").replace("*", text))


def _filled(source: Source, layout: str) -> str:
    """Return the layout with each A replaced by a letter and each 9 by a digit."""
    fill = {"A": string.ascii_uppercase, "9": string.digits}
    return "".join(source.pick(fill[sign]) if sign in fill else sign for sign in layout)


def uuid(source: Source) -> Value:
    """Return a UUID."""
    return Value(
        "-".join(
            "".join(source.pick("0123456789abcdef") for _ in range(n)) for n in (8, 4, 4, 4, 12)
        )
    )


def coupon(source: Source) -> Value:
    """Return a voucher code."""
    percent = str(source.between(5, 90))
    return Value(
        source.pick(
            (
                pseudo_word(source, 2).upper() + percent,
                f"SAVE{percent}",
                pseudo_word(source).upper(),
            )
        )
    )


def flight(source: Source) -> Value:
    """Return a flight number."""
    return Value(letters(source, 2) + source.pick(("", " ")) + str(source.between(10, 9999)))


def version(source: Source) -> Value:
    """Return a software version."""
    parts = [str(source.between(0, 20)) for _ in range(source.pick((2, 3, 3)))]
    text = ".".join(parts)
    mark = source.pick(("v", "v", "v", "V", "v. ", "version ", "release "))
    return Value(text, shown=mark + text if source.chance(0.7) else None)


def ip_address(source: Source) -> Value:
    """Return an IPv4 address."""
    return Value(".".join(str(source.between(1, 254)) for _ in range(4)))


def file_path(source: Source) -> Value:
    """Return the path of a file."""
    parts = [
        pseudo_word(source, 2) if source.chance(0.5) else source.word("title_words")
        for _ in range(source.between(1, 3))
    ]
    ending = source.pick(("txt", "log", "py", "csv", "pdf", "json", "cfg", "conf"))
    return Value(f"/{'/'.join(parts)}.{ending}")


def hashtag(source: Source) -> Value:
    """Return a hashtag; the sign does not belong to its text."""
    word = pseudo_word(source) if source.chance(0.5) else source.word("title_words")
    return Value(word, shown=f"#{word}")


def iban(source: Source) -> Value:
    """Return what looks like an IBAN, in groups of four or not."""
    country = source.pick(("DE", "FR", "NL", "ES", "IT", "AT", "BE", "CH"))
    digit_groups = [digits(source, 4) for _ in range(source.pick((3, 4, 4, 5)))]
    groups = [country + digits(source, 2), *digit_groups, digits(source, source.pick((1, 2, 4)))]
    return Value(source.pick((" ", " ", "")).join(groups))


def plate(source: Source) -> Value:
    """Return the sign of a car."""
    return Value(
        source.pick(
            (
                f"{letters(source, 2)}-{letters(source, 2)} {digits(source, 3)}",
                f"{letters(source, 2)}{digits(source, 2)} {letters(source, 3)}",
                f"{letters(source, 3)}-{digits(source, 4)}",
                f"{letters(source, 1)} {digits(source, 4)} {letters(source, 2)}",
            )
        )
    )


def short_code(source: Source) -> Value:
    """Return the number of a room, a seat, a gate or the like."""
    number, letter = str(source.between(1, 60)), source.pick(string.ascii_uppercase[:12])
    return Value(
        source.pick((number, f"{letter}{number}", f"{number}{letter}", f"{letter}-{number}"))
    )


def error_code(source: Source) -> Value:
    """Return the name or number of an error."""
    word = source.pick(("Timeout", "Value", "Index", "Memory", "Network", "Auth", "Parse", "IO"))
    return Value(
        source.pick(
            (
                f"E{digits(source, source.between(3, 4))}",
                f"{word}Error",
                f"ERR_{letters(source, 4)}_{letters(source, 3)}",
                f"0x{digits(source, 4)}{letters(source, 2)}",
                f"{pseudo_word(source).capitalize()}Exception",
                f"{word.upper()}-{digits(source, 2)}",
            )
        )
    )


def hex_code(source: Source) -> Value:
    """Return the hash of a commit, mostly shortened."""
    text = _hexadecimal(source, source.pick((7, 7, 7, 8, 10, 12)))
    shown = source.pick((f"[{text}]", f"({text})", f"#{text}")) if source.chance(0.2) else None
    return Value(text, shown=shown)


def _hexadecimal(source: Source, length: int) -> str:
    """Return random hexadecimal digits."""
    return "".join(source.pick("0123456789abcdef") for _ in range(length))


def hostname(source: Source) -> Value:
    """Return the name of a machine."""
    kind = source.pick(("web", "db", "app", "cache", "srv", "node", "mail", pseudo_word(source, 2)))
    place = source.pick(("", "", "-eu", "-us", "-prod", "-test"))
    return Value(f"{kind}{place}{source.pick(('-', '', '0'))}{source.between(1, 40)}")


def endpoint(source: Source) -> Value:
    """Return the path of a request."""
    parts = [
        source.pick(("api", "v1", "v2", "users", source.word("title_words"), pseudo_word(source)))
        for _ in range(source.between(1, 3))
    ]
    return Value(
        "/" + "/".join(parts) + (f"/{source.between(1, 9999)}" if source.chance(0.3) else "")
    )


def isbn(source: Source) -> Value:
    """Return what looks like an ISBN."""
    body = digits(source, 9)
    return Value(f"978-{body[0]}-{body[1:5]}-{body[5:]}-{digits(source, 1)}")


def pin(source: Source) -> Value:
    """Return a code of digits that is sent for a login."""
    return Value(digits(source, source.pick((4, 6, 6, 6, 8))))
