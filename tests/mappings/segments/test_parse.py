"""Reading queries: every form of the language, one printed form, and faults with their place."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.segments.parse import NotYetAvailable, QueryFault, check_available, parse_query
from mappings.segments.syntax import And, Comparison, InSegment, Not, Operator, Or, Query
from mappings.segments.values import Text


def fault_of(text: str, *known: str) -> QueryFault:
    """The fault of a query that must have one."""
    with pytest.raises(QueryFault) as caught:
        parse_query(text, known_attributes=known)
    return caught.value


def read(text: str) -> Query | QueryFault:
    """The query or the fault."""
    try:
        return parse_query(text)
    except QueryFault as fault:
        return fault


PRINTED = [
    ("number_of_orders>=3", "number_of_orders >= 3"),
    ("  number_of_orders\n >=\t3 ", "number_of_orders >= 3"),
    ("number_of_orders != -3", "number_of_orders != -3"),
    ("amount_spent between 1 and 999.90", "amount_spent BETWEEN 1 AND 999.90"),
    ("last_order_date BETWEEN 2021-01-01 AND today", None),
    ("last_order_date > 2020-05-30T16:00:00", None),
    ("last_order_date >= yesterday", None),
    ("last_order_date >= -1d", "last_order_date >= yesterday"),
    ("last_order_date <= +7d", None),
    ("last_order_date > 90_days_ago", "last_order_date > -90d"),
    ("first_order_date >= 12_months_ago", "first_order_date >= -12m"),
    ("last_order_date is null", "last_order_date IS NULL"),
    ("last_order_date IS NOT NULL", None),
    (r"customer_tags CONTAINS '\'VIP\''", None),
    (r"customer_tags CONTAINS 'C:\\'", None),
    (r"customer_tags CONTAINS 'a\b'", None),
    ("customer_tags not contains ''", "customer_tags NOT CONTAINS ''"),
    ("NOT customer_tags CONTAINS 'vip'", None),
    ("not not customer_tags IS NULL", "customer_tags IS NULL"),
    ("NOT (number_of_orders = 1 or number_of_orders = 2)", None),
    ("((number_of_orders = 1))", "number_of_orders = 1"),
    (
        "(number_of_orders = 1 AND amount_spent > 2) OR (customer_tags IS NULL)",
        "number_of_orders = 1 AND amount_spent > 2 OR customer_tags IS NULL",
    ),
    ("(number_of_orders = 1 OR amount_spent > 2) AND customer_tags IS NULL", None),
    ("in_segment('returning')", None),
    ("in_segment('returning') = true", "in_segment('returning')"),
    ("in_segment('returning') = false", "NOT in_segment('returning')"),
    ("NOT in_segment('returning') != true", "in_segment('returning')"),
    ("products_purchased MATCHES()", "products_purchased MATCHES ()"),
    ("products_purchased MATCHES ( id = 7, date >= -30d )", None),
    ("products_purchased NOT_MATCHES (id IN (1, 2))", None),
    ("products_purchased IS NULL", "products_purchased NOT MATCHES ()"),
    ("products_purchased IS NOT NULL", "products_purchased MATCHES ()"),
    ("products_purchased(tag: 'Red hats') = true", "products_purchased MATCHES (tag = 'Red hats')"),
    ("products_purchased (id: (1, 2)) != true", "products_purchased NOT MATCHES (id IN (1, 2))"),
    ("products_purchased(id: '2012162031638') = true", None),
    ("orders_placed(date: >= -12m) = true", "orders_placed MATCHES (date >= -12m)"),
    (
        "orders_placed(date: BETWEEN -12m AND today) = true",
        "orders_placed MATCHES (date BETWEEN -12m AND today)",
    ),
    (
        "shopify_email.opened(count_at_least: 5) = true",
        "shopify_email.opened MATCHES (count >= 5)",
    ),
    (
        "customer_within_distance(coordinates: (40.7128, -74.0060), distance_mi: 6.2) = true",
        "customer_within_distance MATCHES (coordinates = '40.7128,-74.0060', distance_mi = 6.2)",
    ),
    ("anniversary ('metafields.facts.birth_date') = today", None),
    (
        "anniversary(date: 'metafields.facts.birth_date') BETWEEN today AND +30d",
        "anniversary('metafields.facts.birth_date') BETWEEN today AND +30d",
    ),
    ("customer.metafields.loyalty.points > 100", "metafields.loyalty.points > 100"),
    ("metafields.my-club.is_member = true", None),
    ("companies CONTAINS 4002", None),
]


@pytest.mark.parametrize(("written", "printed"), PRINTED)
def test_one_printed_form(written: str, printed: str | None) -> None:
    """Each spelling is read and printed in one form, which reads back as the same query."""
    query = parse_query(written)
    if printed is not None:
        assert printed == str(query)
    assert query == parse_query(str(query))
    assert str(query) == str(parse_query(str(query)))


def test_shape_of_a_query() -> None:
    """AND binds tighter than OR, NOT tighter than both; names are collected."""
    query = parse_query(
        "customer_tags CONTAINS 'VIP' OR NOT in_segment('a') AND club = 'x'",
        known_attributes=("club",),
    )
    tags = Comparison(attribute="customer_tags", operator=Operator.CONTAINS, values=(Text("VIP"),))
    club = Comparison(attribute="club", operator=Operator.EQ, values=(Text("x"),))
    assert Or((tags, And((Not(InSegment(segment="a")), club)))) == query.root
    assert frozenset({"a"}) == query.references
    assert frozenset({"customer_tags", "club"}) == query.attributes


FAULTS = [
    # As Shopify answers: columns count from 0, lines from 1.
    ("not a valid segment query ???", 6, "'valid' is unexpected", None),
    ("  ", 0, "Query can't be blank", None),
    ("customer_tags = 'vip'", 14, "customer_tags does not support operator '='", "CONTAINS"),
    ("email = 'x'", 0, "'email' filter cannot be found", "customer_email_domain"),
    # Names
    ("amont_spent > 3", 0, "'amont_spent' filter cannot be found", "amount_spent"),
    ("Amount_Spent > 3", 0, "'Amount_Spent' filter cannot be found", "amount_spent"),
    ("total_spent > 3", 0, "'total_spent' filter cannot be found", "amount_spent"),
    ("shopify_email.read MATCHES ()", 0, "filter cannot be found", "shopify_email.opened"),
    ("in_segmnt('a')", 0, "'in_segmnt' filter cannot be found", "in_segment"),
    ("metafields.x = 1", 0, "'metafields.x' filter cannot be found", None),
    ("amount_spent > 1 AND zzzzzzzz IS NULL", 21, "'zzzzzzzz' filter cannot be found", None),
    ("WHERE amount_spent > 3", 0, "only the condition that would follow WHERE", None),
    # Operators
    ("customer_email_domain CONTAINS 'x'", 22, "does not support operator 'CONTAINS'", "="),
    ("customer_email_domain > 'x'", 22, "does not support operator '>'", None),
    ("number_of_orders MATCHES ()", 17, "does not support operator 'MATCHES'", None),
    ("products_purchased = 1", 19, "operator '='", "products_purchased MATCHES (…)"),
    ("customer_email_domain STARTS WITH 'ex'", 22, "'STARTS' is unexpected: an operator", None),
    ("number_of_orders IN (1, 2)", 17, "'IN' is unexpected: an operator belongs here", None),
    ("number_of_orders == 1", 18, "'=' is unexpected: a value belongs here", None),
    ("number_of_orders <> 1", 18, "'>' is unexpected: a value belongs here", None),
    # Values
    ("number_of_orders > 1.5", 19, "takes a whole number, without quotes, not 1.5", None),
    ("number_of_orders = '5'", 19, "takes a whole number, without quotes, not '5'", None),
    ("number_of_orders = 9223372036854775808", 19, "beyond 64 bits", None),
    ("number_of_orders = " + "9" * 4900, 19, "beyond 64 bits", None),
    ("amount_spent > 1,000", 16, "',' is unexpected: AND, OR or the end belongs here", None),
    ("amount_spent > 1 000", 17, "'000' is unexpected: AND, OR or the end", None),
    ("amount_spent = $100", 15, "without its currency sign", None),
    ("amount_spent = 1e3", 15, "'1e3' is no number", None),
    ("amount_spent = 5.", 15, "'5.' is no number", None),
    ("amount_spent = .5", 15, "'.' is unexpected", None),
    ("last_order_date > -7", 18, "last_order_date takes a date", None),
    ("last_order_date > '2026-01-01'", 18, "last_order_date takes a date", None),
    ("last_order_date > 2026-02-30", 18, "'2026-02-30' is no day of the calendar", None),
    ("last_order_date > 0000-01-01", 18, "'0000-01-01' is no day of the calendar", None),
    ("last_order_date > 2026-05-30T24:00:00", 18, "'2026-05-30T24:00:00' is no moment", None),
    ("last_order_date > 2026-05-30T10:00", 18, "is no date: write", None),
    ("last_order_date > 09:00:00", 18, "is no date: write", None),
    ("last_order_date > -12h", 18, "'-12h' is no offset", None),
    ("last_order_date > -7dT10:00:00", 18, "'-7dT10:00:00' is no offset", None),
    ("last_order_date > 8_days_ago", 18, "'8_days_ago' is no date", "-8d"),
    ("customer_account_status = 'enabled'", 26, "has no value 'enabled'", "'ENABLED'"),
    ("email_subscription_status = 'SUBSCRIBE'", 28, "no value 'SUBSCRIBE'", "'SUBSCRIBED'"),
    ("email_subscription_status = SUBSCRIBED", 28, "a value belongs here", "'SUBSCRIBED'"),
    ("customer_countries CONTAINS 'no'", 28, "two capital letters", "'NO'"),
    ("customer_countries CONTAINS 'UK'", 28, "two capital letters", "'GB'"),
    ("customer_countries CONTAINS 'Norway'", 28, "two capital letters", None),
    ('customer_tags CONTAINS "vip"', 23, "written in single quotes", None),
    ("customer_tags CONTAINS ‘vip’", 23, "straight single quotes", None),  # noqa: RUF001 - curly
    ("customer_tags CONTAINS 'vip", 23, "its closing quote is missing", None),
    ("customer_tags CONTAINS 'it's'", 27, "'s' is unexpected", None),
    ("customer_tags CONTAINS 'a\0b'", 25, "no text and cannot be stored", None),
    ("customer_tags CONTAINS '\ud800'", 24, "no text and cannot be stored", None),
    # Functions
    ("products_purchased MATCHES (colour = 'red')", 28, "no parameter 'colour'; it has id,", None),
    ("products_purchased MATCHES (product_tag = 'x')", 28, "no parameter 'product_tag'", "tag"),
    ("products_purchased MATCHES (id = 1, id = 2)", 36, "id may occur once in a function", None),
    ("products_purchased MATCHES (id > 1)", 31, "id does not support operator '>'", None),
    ("products_purchased MATCHES (date = 5)", 35, "date takes a date", None),
    (
        f"products_purchased MATCHES (id IN ({', '.join(['1'] * 501)}))",
        1535,
        "a list holds at most 500 ids",
        None,
    ),
    ("products_purchased (id = 1)", 23, "'=' is unexpected: a colon belongs here", None),
    ("products_purchased(id: 1)", 0, "needs a condition", "products_purchased MATCHES (…)"),
    ("products_purchased(id: 1) = 1", 26, "only compared with = true or = false", None),
    ("products_purchased('x') = true", 19, "takes parameters by name", None),
    ("in_segment()", 0, "in_segment takes one name", None),
    ("in_segment('')", 0, "in_segment names no segment", None),
    ("in_segment('a') > 3", 16, "only compared with = true or = false", None),
    ("anniversary() = today", 0, "anniversary takes one field", None),
    ("anniversary('metafields.a.b')", 0, "anniversary needs a date", None),
    ("anniversary('birthday') = today", 0, "a field such as", None),
    ("anniversary('metafields.a.b') = 3", 32, "anniversary takes a date", None),
    # Shape
    ("number_of_orders > 1)", 20, "')' is unexpected: no parenthesis is open here", None),
    ("(number_of_orders > 1", 21, "the query ends too early", None),
    ("number_of_orders > 1 AND ", 24, "ends too early: a filter belongs here", None),
    ("number_of_orders BETWEEN 1", 26, "ends too early: AND and a second value", None),
    ("number_of_orders > 1 amount_spent > 2", 21, "AND, OR or the end belongs here", None),
    ("number_of_orders > 1 -- more", 21, "'-' is unexpected", None),
    ("number_of_orders IS 3", 20, "NULL or NOT NULL belongs here", None),
    ("number_of_orders > 1\u00a0AND amount_spent > 1", 20, "no-break space", None),
    (
        " OR ".join(f"number_of_orders = {number}" for number in range(11)),
        240,
        "at most 10 clauses",
        None,
    ),
    ("number_of_orders >= 1" + " " * 4980, 0, "too long (maximum is 5000 characters)", None),
]


@pytest.mark.parametrize(("text", "column", "message", "suggestion"), FAULTS)
def test_faults_have_a_place(text: str, column: int, message: str, suggestion: str | None) -> None:
    """Each wrong query is refused with line, column, what is wrong and the nearest right word."""
    fault = fault_of(text)
    assert message in fault.message
    assert (1, column) == (fault.line, fault.column)
    assert suggestion == fault.suggestion
    assert f"Line 1 Column {column}: " in str(fault)


def test_lines_are_counted() -> None:
    """A fault on a later line says which; its column counts from that line's beginning."""
    fault = fault_of("number_of_orders > 1\n  AND\n  customer_tags = 'x'")
    assert (3, 16) == (fault.line, fault.column)


def test_every_fault_of_a_query_is_told() -> None:
    """The first fault carries the others, each with its own place."""
    fault = fault_of("total_spent > 1 AND customer_tags = 'x' AND number_of_orders > 1.5")
    assert [0] == [fault.column]
    assert [34, 63] == [other.column for other in fault.others]


def test_attributes_of_the_mapping() -> None:
    """A shop's own attribute is a text, known only when the mapping names it."""
    query = parse_query("club_number = '7'", known_attributes=("club_number",))
    assert "club_number = '7'" == str(query)
    check_available(query)
    assert "club_number" == fault_of("club_numbr = '7'", "club_number").suggestion
    assert 12 == fault_of("club_number > '7'", "club_number").column
    assert 14 == fault_of("club_number = 7", "club_number").column
    assert 0 == fault_of("club_number = '7'").column


@pytest.mark.parametrize(
    ("text", "column", "name"),
    [
        ("number_of_orders = 1 AND products_purchased MATCHES (id = 1)", 25, "products_purchased"),
        ("abandoned_checkout_date > -7d", 0, "abandoned_checkout_date"),
        ("metafields.loyalty.points > 1", 0, "metafields.loyalty.points"),
        ("(anniversary('metafields.a.b') = today)", 1, "anniversary"),
        ("shopify_email.opened() = true", 0, "shopify_email.opened"),
        ("spend_percentile >= 95", 0, "spend_percentile"),
    ],
)
def test_what_is_not_yet_available_says_so(text: str, column: int, name: str) -> None:
    """What the language has but this version cannot answer is read, and refused in clear words."""
    query = parse_query(text)
    with pytest.raises(NotYetAvailable) as caught:
        check_available(query)
    expected = f"{name} is part of the language, but not available in this version"
    assert expected == caught.value.message
    assert column == caught.value.column


@pytest.mark.parametrize(
    "text",
    [
        "(" * 2480 + "number_of_orders > 1" + ")" * 2480,
        "(" * 4979 + "number_of_orders > 1",
        "NOT " * 1244 + "number_of_orders > 1",
        "NOT(" * 900 + "number_of_orders > 1" + ")" * 900,
        "number_of_orders = 1" + ")" * 4900,
        "a=1 OR (a=1 AND (" * 290,
        "a=1 OR(a=1 AND(" * 250 + "a=1" + "))" * 250,
        "customer_tags CONTAINS '" + "\\'" * 2480,
        "customer_tags CONTAINS '" + "\\" * 4900,
        "number_of_orders = 1 " + "AND number_of_orders = 1 " * 199,
        "products_purchased MATCHES (" + "id IN (1)," * 497,
        "-" * 5000,
        "1" * 5000,
        "a" * 5000,
        "'" * 5000,
    ],
)
def test_no_text_takes_long_or_breaks_the_reader(text: str) -> None:
    """Threat C4: the largest and deepest texts are read or refused at once."""
    assert len(text) <= 5000
    began = time.monotonic()
    found = read(text)
    assert "number_of_orders > 1" in str(found) or isinstance(found, QueryFault)
    assert len(str(found)) < 600
    assert time.monotonic() - began < 2


@given(st.text(max_size=60))
def test_any_text_is_a_query_or_a_fault(text: str) -> None:
    """Whatever somebody writes, it is a query or a fault with a place inside the text."""
    found = read(text)
    if isinstance(found, QueryFault):
        lines = text.split("\n")
        assert 1 <= found.line <= len(lines)
        assert 0 <= found.column <= len(lines[found.line - 1])
    else:
        assert found == parse_query(str(found))


WORDS = [
    *("number_of_orders", "customer_tags", "last_order_date", "products_purchased", "in_segment"),
    *("id", "date", "NOT", "AND", "OR", "(", ")", ",", ":", "=", "!=", ">", "BETWEEN", "CONTAINS"),
    *("IS", "NULL", "IN", "MATCHES", "NOT_MATCHES", "true", "today", "-7d", "2026-01-31", "5"),
    *("1.5", "'x'", "''", "\\", "'", "anniversary"),
]


@given(st.lists(st.sampled_from(WORDS), max_size=14).map(" ".join))
def test_any_sequence_of_words_is_a_query_or_a_fault(text: str) -> None:
    """No order of the language's own words breaks the reader; what it reads, it prints alike."""
    found = read(text)
    if isinstance(found, Query):
        assert found == parse_query(str(found))


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40))
def test_any_text_can_be_asked_for(text: str) -> None:
    """Every text has a spelling in single quotes that reads back as exactly that text."""
    query = parse_query(f"customer_tags CONTAINS {Text(text)}")
    assert (Text(text),) == query.clauses[0].values  # type: ignore[union-attr]


@pytest.mark.corpus
def test_real_queries(corpus: Path) -> None:
    """Real queries are read, wrong ones refused; the doubtful ones may go either way."""
    wrong = []
    for line in (corpus / "fixtures/segments/queries.jsonl").read_text("utf-8").splitlines():
        case = json.loads(line)
        if case["grade"] == "doubtful":
            continue
        try:
            query = parse_query(case["query"])
            valid = str(query) == str(parse_query(str(query)))
        except QueryFault:
            valid = False
        if valid is not case["valid"]:
            wrong.append(case["query"])
    assert [] == wrong
