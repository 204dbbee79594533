from steer_engine.text_forms.expressions import EMPTY, Alternatives, Reference, literal
from steer_engine.text_forms.gbnf import read_gbnf
from steer_engine.text_forms.rules import productive, reachable, recursive, unrolled


def rules_of(text):
    return read_gbnf(text)


def test_what_never_ends_is_left_out():
    rules = rules_of('root ::= "a" x | "b" y\nx ::= "x" x\ny ::= x? "y"')
    assert productive(rules) == rules_of('root ::= "b" y\ny ::= "" "y"')


def test_a_grammar_that_never_ends_has_no_rules():
    assert productive(rules_of('root ::= "a" root')) == {}


def test_a_rule_that_goes_on_with_itself_repeats():
    assert unrolled(rules_of('root ::= "a" root | "b"')) == rules_of('root ::= "a"* "b"')
    assert unrolled(rules_of('root ::= root "a" | "b"')) == rules_of('root ::= "b" "a"*')
    ws = unrolled(rules_of('root ::= ("a" root)?'))
    assert recursive(ws) == frozenset()


def test_a_rule_that_stands_in_its_own_midst_stays():
    rules = rules_of('root ::= "a" root "b" | root root | "c"')
    assert unrolled(rules) == rules
    assert recursive(rules) == {"root"}


def test_what_leads_to_a_recursive_rule_is_recursive():
    rules = rules_of('root ::= x y\nx ::= "(" x ")" | y\ny ::= "y"')
    assert recursive(rules) == {"root", "x"}


def test_what_root_does_not_lead_to_is_left_out():
    rules = {
        "root": Reference("x"),
        "x": Alternatives((literal("a"), EMPTY)),
        "z": Reference("root"),
    }
    assert reachable(rules, "root").keys() == {"root", "x"}
