r"""Unicode properties by the names that ECMA-262 allows in `\p{...}`."""

from __future__ import annotations

from functools import lru_cache

from steer_engine.schema.patterns.syntax import MAX_CODE_POINT, PatternError, Range

_CATEGORY_WORDS = """
    C Other Cc Control cntrl Cf Format Cn Unassigned Co Private_Use Cs Surrogate L Letter
    LC Cased_Letter Ll Lowercase_Letter Lm Modifier_Letter Lo Other_Letter Lt Titlecase_Letter
    Lu Uppercase_Letter M Mark Combining_Mark Mc Spacing_Mark Me Enclosing_Mark Mn Nonspacing_Mark
    N Number Nd Decimal_Number digit Nl Letter_Number No Other_Number P Punctuation punct
    Pc Connector_Punctuation Pd Dash_Punctuation Pe Close_Punctuation Pf Final_Punctuation
    Pi Initial_Punctuation Po Other_Punctuation Ps Open_Punctuation S Symbol Sc Currency_Symbol
    Sk Modifier_Symbol Sm Math_Symbol So Other_Symbol Z Separator Zl Line_Separator
    Zp Paragraph_Separator Zs Space_Separator
    """
_BINARY_WORDS = """
    ASCII ASCII_Hex_Digit AHex Alphabetic Alpha Any Assigned Bidi_Control Bidi_C Bidi_Mirrored
    Bidi_M Case_Ignorable CI Cased Changes_When_Casefolded CWCF Changes_When_Casemapped CWCM
    Changes_When_Lowercased CWL Changes_When_Titlecased CWT Changes_When_Uppercased CWU Dash
    Default_Ignorable_Code_Point DI Deprecated Dep Diacritic Dia Emoji Emoji_Component EComp
    Emoji_Modifier EMod Emoji_Modifier_Base EBase Emoji_Presentation EPres Extended_Pictographic
    ExtPict Extender Ext Grapheme_Base Gr_Base Grapheme_Extend Gr_Ext Hex_Digit Hex
    IDS_Binary_Operator IDSB IDS_Trinary_Operator IDST ID_Continue IDC ID_Start IDS Ideographic
    Ideo Join_Control Join_C Logical_Order_Exception LOE Lowercase Lower Math
    Noncharacter_Code_Point NChar Pattern_Syntax Pat_Syn Pattern_White_Space Pat_WS Quotation_Mark
    QMark Radical Regional_Indicator RI Sentence_Terminal STerm Soft_Dotted SD Terminal_Punctuation
    Term Unified_Ideograph UIdeo Uppercase Upper Variation_Selector VS White_Space space
    XID_Continue XIDC XID_Start XIDS
    """
_CATEGORIES, _BINARY = frozenset(_CATEGORY_WORDS.split()), frozenset(_BINARY_WORDS.split())
_CATEGORY_NAMES = ("General_Category", "gc")
_SCRIPT_NAMES = ("Script", "sc", "Script_Extensions", "scx")


def known_property(text: str) -> str:
    r"""Return what stands in `\p{...}` as the `regex` package spells it; raise `PatternError`."""
    name, equals, value = text.partition("=")
    if not equals and name in _CATEGORIES:
        return f"gc={name}"
    if not equals and name in _BINARY:
        return name
    if name in _CATEGORY_NAMES and value in _CATEGORIES:
        return text
    if name in _SCRIPT_NAMES and value and _is_script(text):
        return text
    raise PatternError(f"\\p{{{text}}} names no Unicode property of ECMA-262")


def _is_script(text: str) -> bool:
    import regex

    try:
        regex.compile(rf"\p{{{text}}}")
    except regex.error:
        return False
    return True


@lru_cache(maxsize=64)
def ranges_of(name: str) -> tuple[Range, ...]:
    """Return the code points that have a property; the first call for one takes some 50 ms."""
    import regex

    runs = regex.finditer(rf"\p{{{name}}}+", _every_character())
    return tuple((run.start(), run.end() - 1) for run in runs)


@lru_cache(maxsize=1)
def _every_character() -> str:
    return "".join(map(chr, range(MAX_CODE_POINT + 1)))
