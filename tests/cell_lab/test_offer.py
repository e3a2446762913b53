"""Offers: files that are refused in words, what is compared, the verdict by rule, and never a word that one is safe."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from motorpool.cell_lab.dates import days_of
from motorpool.cell_lab.offer import Offer, offer_from_data, read_offer
from motorpool.cell_lab.offer_check import check_offer
from motorpool.cell_lab.offer_checklist import load_checklist, load_offer_words
from motorpool.cell_lab.offer_lookup import look_up, recognised
from motorpool.cell_lab.offer_match import compare, names_in
from motorpool.cell_lab.offer_words import HEADINGS, text_of_check
from motorpool.cell_lab.registry import RegistryError, RegistryRecord, parse_study
from motorpool.cell_lab.registry_http import ServiceError
from motorpool.report.offer_page import offer_page
from motorpool.simulation.errors import ScenarioError
from tests.support.reading import reading_grade
from tests.support.registry_server import study_json

TODAY = datetime.date(2026, 11, 26)
NUMBER = "NCT00000001"
SOUND: dict[str, Any] = {
    "condition": "spinal muscular atrophy type 2",
    "age_months": 40,
    "clinic": {"name": "University Hospital", "city": "Lyon", "country": "France"},
    "registry_number": NUMBER,
    "treatment_date": "2027-03",
    "cells": "umbilical cord mesenchymal stem cells",
    "route": "intrathecal",
    "doses": 3,
    "price": {"amount": 0, "currency": "EUR", "before_treatment": "no"},
    "answers": {name: "yes" for name, item in load_checklist().items.items() if item.question},
    "red_flags": dict.fromkeys(load_checklist().red_flags, "no"),
}


class Registry:
    """A registry that holds one study, or fails."""

    def __init__(self, record: RegistryRecord | None = None, fails: bool = False) -> None:
        self.record, self.fails = record, fails
        self.asked: list[str] = []

    def study(self, number: str) -> RegistryRecord | None:
        self.asked.append(number)
        if self.fails:
            raise ServiceError("ClinicalTrials.gov cannot be reached (no network)", "unreachable")
        return self.record


def checked(changes: Mapping[str, Any] = {}, registry: Any = "sound", **study: Any) -> dict[str, Any]:  # noqa: B006
    made = Registry(parse_study(study_json(NUMBER, **study))) if registry == "sound" else registry
    return check_offer(offer_from_data({**SOUND, **changes}), made, TODAY)  # type: ignore[arg-type]


def item(check: Mapping[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in check["checklist"] if one["id"] == name)


def aspects(check: Mapping[str, Any]) -> dict[str, str]:
    return {one["aspect"]: one["result"] for one in check["comparisons"]}


def test_the_checklist_is_that_of_the_evidence() -> None:
    checklist = load_checklist()
    weights = [entry.weight for entry in checklist.items.values()]
    assert weights == ["decisive"] * 8 + ["important"] * 5
    assert len(checklist.red_flags) >= 8
    assert [name for name, entry in checklist.items.items() if entry.question is None] == ["registered"]


def test_an_offer_without_a_gap_is_still_not_praised() -> None:
    check = checked()
    assert set(aspects(check).values()) == {"agrees"}
    assert item(check, "registered")["answer"] == "yes"
    assert check["verdict"] == "no_gap_found"
    assert "does not tell whether the cells help or harm" in check["verdict_words"]
    assert check["questions"] == []


@pytest.mark.parametrize(
    "name",
    [name for name, entry in load_checklist().items.items() if entry.weight == "decisive" and entry.question],
)
def test_one_decisive_no_ends_it(name: str) -> None:
    check = checked({"answers": {**SOUND["answers"], name: "no"}})
    assert check["verdict"] == "do_not_go_on"
    assert check["questions"] == [load_checklist().items[name].ask]


@pytest.mark.parametrize("answer", ["no", "unknown"])
def test_an_important_gap_or_a_red_flag_leaves_it_open(answer: str) -> None:
    assert checked({"answers": {**SOUND["answers"], "insurance": answer}})["verdict"] == "open_questions"
    flags = {**SOUND["red_flags"], "urgency": "yes" if answer == "no" else "unknown"}
    assert checked({"red_flags": flags})["verdict"] == "open_questions"
    assert checked({"answers": {**SOUND["answers"], "ethics": "unknown"}})["verdict"] == "open_questions"


def test_a_price_is_a_decisive_no() -> None:
    answers = {name: value for name, value in SOUND["answers"].items() if name != "no_charge"}
    price = {"amount": 25000, "currency": "USD", "before_treatment": "yes"}
    flags = {name: value for name, value in SOUND["red_flags"].items() if name != "payment_up_front"}
    check = checked({"answers": answers, "price": price, "red_flags": flags})
    assert item(check, "no_charge") | {"answer": "no", "found": "They ask for 25,000 USD."} == item(
        check, "no_charge"
    )
    assert next(flag for flag in check["red_flags"] if flag["id"] == "payment_up_front")["answer"] == "yes"
    assert check["verdict"] == "do_not_go_on"
    assert "6,000 to 112,000 US dollars" in text_of_check(check)


@pytest.mark.parametrize(
    ("aspect", "result", "offer", "study"),
    [
        ("condition", "differs", {}, {"conditions": ["Osteoarthritis"], "title": "Cells in the knee"}),
        ("condition", "differs", {"condition": "Duchenne muscular dystrophy"}, {}),
        ("condition", "agrees", {"condition": "Werdnig-Hoffmann disease"}, {}),
        ("condition", "agrees", {"condition": "SMA"}, {}),
        ("cells", "differs", {"cells": "fat cells, adipose derived"}, {}),
        ("cells", "differs", {}, {"interventions": [{"name": "risdiplam"}], "title": "A drug in SMA"}),
        ("cells", "cannot_tell", {"cells": "our own stem cells"}, {}),
        ("cells", "cannot_tell", {"cells": None}, {}),
        ("cells", "cannot_tell", {}, {"interventions": []}),
        ("route", "differs", {"route": "by infusion into a vein"}, {}),
        ("route", "cannot_tell", {"route": None}, {}),
        ("place", "differs", {"clinic": {"country": "Mexico"}}, {}),
        ("place", "differs", {"clinic": {"country": "France", "city": "Paris"}}, {}),
        (
            "place",
            "cannot_tell",
            {"clinic": {"country": "France", "city": "Lyon", "name": "Clinique Soleil"}},
            {},
        ),
        ("place", "cannot_tell", {"clinic": {}}, {}),
        ("place", "cannot_tell", {}, {"locations": []}),
        ("status", "differs", {}, {"status": "COMPLETED"}),
        ("status", "differs", {}, {"status": "UNKNOWN"}),
        ("status", "cannot_tell", {}, {"status": "A NEW WORD"}),
        ("status", "agrees", {}, {"status": "ENROLLING_BY_INVITATION"}),
        ("dates", "differs", {"treatment_date": "2025-12-31"}, {}),
        ("dates", "differs", {"treatment_date": "2030-01"}, {}),
        ("dates", "agrees", {"treatment_date": "2029-12"}, {}),
        ("dates", "cannot_tell", {}, {"start": "soon"}),
        ("age", "differs", {"age_months": 3}, {}),
        ("age", "differs", {"age_months": 200}, {}),
        ("age", "cannot_tell", {"age_months": None}, {}),
    ],
)
def test_each_aspect_is_compared(
    aspect: str, result: str, offer: dict[str, Any], study: dict[str, Any]
) -> None:
    check = checked(offer, **study)
    assert aspects(check)[aspect] == result
    assert (item(check, "registered")["answer"] == "yes") == (
        result == "agrees" or (result == "cannot_tell" and aspect in ("route", "age"))
    )
    if result == "differs":
        assert item(check, "registered")["answer"] == "no"
        assert check["verdict"] == "do_not_go_on"


def test_without_a_date_today_counts() -> None:
    assert aspects(checked({"treatment_date": None}))["dates"] == "agrees"
    assert aspects(checked({"treatment_date": None}, completion="2026-11-25"))["dates"] == "differs"
    assert aspects(checked({"treatment_date": None}, completion="2026-11"))["dates"] == "agrees"


def test_other_spellings_of_a_country_are_the_same() -> None:
    place = [{"facility": "Children's Hospital", "city": "Tehran", "country": "Iran, Islamic Republic of"}]
    clinic = {"name": "Childrens hospital", "city": "TEHRAN", "country": "Iran"}
    assert aspects(checked({"clinic": clinic}, locations=place))["place"] == "agrees"


def test_words_count_as_whole_words() -> None:
    words = load_offer_words()
    assert names_in("injection into the spinal cord", words.cells.tissues) == set()
    assert names_in("Wharton's jelly", words.cells.tissues) == {"umbilical cord"}
    assert names_in("plasma", words.conditions) == set()


def test_a_missing_number_is_a_no_and_one_the_registry_does_not_know_too() -> None:
    registry = Registry(None)
    check = checked({}, registry)
    assert item(check, "registered")["answer"] == "no"
    assert "has no study with the number" in check["registry"]["words"]
    none = checked({"registry_number": None}, registry)
    assert item(none, "registered")["answer"] == "no"
    assert registry.asked == [NUMBER]


def test_without_a_connection_the_snapshot_is_used_and_said() -> None:
    check = checked({"registry_number": " nct02855112 "}, Registry(fails=True))
    assert check["registry"]["came_from"] == "snapshot"
    words = check["registry"]["words"]
    for part in (
        "cannot be reached",
        "no copy of a registry",
        "2026-11-26",
        "https://clinicaltrials.gov/study/NCT02855112",
    ):
        assert part in words
    assert item(check, "registered")["answer"] == "no"
    offline = checked({"registry_number": "NCT02855112"}, None)
    assert offline["registry"]["words"].startswith("No registry was asked.")
    assert offline["comparisons"] == check["comparisons"]


def test_a_snapshot_never_makes_a_number_good(monkeypatch: pytest.MonkeyPatch) -> None:
    record = parse_study(study_json(NUMBER)).model_copy(update={"read_from": "notes"})
    lookup = look_up(NUMBER, None, TODAY)
    assert lookup.came_from == "nowhere"
    monkeypatch.setattr(
        "motorpool.cell_lab.offer_check.look_up",
        lambda number, registry, today: type(lookup)(NUMBER, lookup.kind, "snapshot", "2026-11-26", record),
    )
    check = checked({}, None)
    assert set(aspects(check).values()) == {"agrees"}
    assert item(check, "registered")["answer"] == "unknown"
    assert check["verdict"] == "open_questions"


def test_a_number_that_is_nowhere_stays_unknown() -> None:
    check = checked({"registry_number": "NCT99999999"}, None)
    assert item(check, "registered")["answer"] == "unknown"
    assert "nothing can be said of it" in check["registry"]["words"]
    foreign = checked({"registry_number": "ISRCTN12345678"})
    assert "Numbers of ISRCTN are not looked up here" in foreign["registry"]["words"]
    odd = checked({"registry_number": "STUDY-7"})
    assert "does not look like a number of any registry" in odd["registry"]["words"]
    assert odd["verdict"] == "open_questions"


def test_only_a_whole_number_is_ever_asked_for() -> None:
    registry = Registry(None)
    for number in ("NCT0000000", "NCT00000001/../x", "x NCT00000001", "IRCT20110628006907N15", ""):
        look_up(number, registry, TODAY)  # type: ignore[arg-type]
    assert registry.asked == []
    assert recognised("nct 0000 0001") == (
        NUMBER,
        "ClinicalTrials.gov",
        f"https://clinicaltrials.gov/study/{NUMBER}",
    )


def test_punctures_are_counted_where_the_spine_is_punctured() -> None:
    numbers = checked({"doses": 4})["numbers"]
    assert numbers["trouble_at_least_once"] == pytest.approx(1.0 - 0.68**4)
    assert checked({"doses": 1})["numbers"]["trouble_at_least_once"] == pytest.approx(0.32)
    assert checked({"route": "into a vein"})["numbers"]["trouble_at_least_once"] is None


def test_the_example_can_be_read() -> None:
    text = resources.files("motorpool.cell_lab").joinpath("offer_example.yaml").read_text(encoding="utf-8")
    assert set(re.findall(r"^([a-z_]+):", text, flags=re.MULTILINE)) == set(Offer.model_fields)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("patient_name: Ada", "patient_name: unknown key; allowed here are offer, condition"),
        ("birth_date: 2024-01-01", "birth_date: unknown key"),
        ("clinik: {name: x}", "Did you mean clinic?"),
        ("clinic: {town: x}", "clinic.town: unknown key; allowed here are name, city, country"),
        (
            "answers: {etics: yes}",
            "answers.etics: unknown entry; allowed here are ethics.*Did you mean ethics",
        ),
        ("answers: {registered: yes}", "is looked up; give registry_number instead"),
        ("answers: {ethics: maybe}", "must be one of yes, no, unknown"),
        ("answers: {ethics: true}", "answers.ethics"),
        ("red_flags: {hurry: yes}", "red_flags.hurry: unknown entry"),
        ("age_months: -1", "age_months: -1 must be at least 0"),
        ("age_months: .nan", "age_months"),
        ("treatment_date: next spring", "must be a date such as 2027-03"),
        ("treatment_date: 2027-13", "must be a date such as"),
        ("treatment_date: '2027'", "must be a date such as"),
        ('cells: "a\\u001b[31m"', "cells.*must be plain text on one line"),
        ('offer: "a\\ud800"', "offer: .*valid string"),
        ("price: {amount: 5}", "price.currency"),
        ("price: {amount: -5, currency: EUR}", "price.amount: -5 must be at least 0"),
        (
            "price: {amount: 5, currency: EUR}\nanswers: {no_charge: yes}",
            "contradicts price.amount, which is 5 EUR",
        ),
        (
            "price: {amount: 5, currency: EUR, before_treatment: yes}\nred_flags: {payment_up_front: no}",
            "contradicts price.before_treatment",
        ),
        ("doses: 0", "doses: 0 must be at least 1"),
        ("- a list", "the file has no entries"),
        ("", "the file has no entries"),
        ("cells: [", "cannot be read as YAML"),
        ("cells: a\ncells: b", "given twice"),
    ],
)
def test_a_bad_file_is_refused_in_words(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "offer.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ScenarioError) as caught:
        read_offer(file)
    assert re.search(message, str(caught.value)), str(caught.value)
    assert str(caught.value).startswith(str(file))


def test_a_study_that_was_given_another_number_is_told() -> None:
    check = checked({}, Registry(parse_study(study_json("NCT00000002"))))
    assert "The registry now lists it as NCT00000002." in check["registry"]["words"]


def test_dates() -> None:
    assert days_of("2028-02") == (datetime.date(2028, 2, 1), datetime.date(2028, 2, 29))
    assert days_of("2028") == (datetime.date(2028, 1, 1), datetime.date(2028, 12, 31))
    assert days_of("2028-02-03")[0] == days_of("2028-02-03")[1]
    with pytest.raises(ValueError, match="such as"):
        days_of("2028-02-30")


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=12),
    lambda part: st.lists(part, max_size=3) | st.dictionaries(st.text(max_size=8), part, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from([*Offer.model_fields, "x"]), JSON) | JSON)
@settings(max_examples=80, deadline=None)
def test_whatever_stands_in_a_file_is_read_or_refused_in_words(data: Any) -> None:
    try:
        offer = offer_from_data(data)
    except ScenarioError as error:
        assert str(error)
        return
    text_of_check(check_offer(offer, None, TODAY)).encode()


@given(st.data())
@settings(max_examples=80, deadline=None)
def test_whatever_a_registry_answers_is_compared_or_refused(data: st.DataObject) -> None:
    study = study_json(NUMBER)
    module = data.draw(st.sampled_from(sorted(study["protocolSection"])))
    part = study["protocolSection"][module]
    part[data.draw(st.sampled_from(sorted(part)))] = data.draw(JSON)
    study["protocolSection"]["statusModule"]["startDateStruct"] = {
        "date": data.draw(st.sampled_from(["2026-99", "0000", "x"]))
    }
    try:
        record = parse_study(study)
    except RegistryError:
        return
    check = check_offer(offer_from_data(SOUND), Registry(record), TODAY)  # type: ignore[arg-type]
    text_of_check(check).encode()
    assert check["verdict"] != "no_gap_found"


ANSWERS = st.sampled_from(["yes", "no", "unknown"])
NAMES = [name for name, entry in load_checklist().items.items() if entry.question]
STUDIES = st.fixed_dictionaries(
    {
        "status": st.sampled_from([*load_offer_words().statuses, "NEW", None]),
        "start": st.sampled_from(["2020", "2026-01", "2028-05-01", None]),
        "completion": st.sampled_from(["2021-01", "2030-01", None]),
        "conditions": st.sampled_from([[], ["Spinal Muscular Atrophy"], ["Stroke"]]),
        "interventions": st.sampled_from(
            [[], [{"name": "Umbilical cord stem cells"}], [{"name": "risdiplam"}]]
        ),
        "locations": st.sampled_from([[], [{"city": "Lyon", "country": "France"}], [{"country": "Iran"}]]),
    }
)


@st.composite
def offers(draw: st.DrawFn) -> Offer:
    data: dict[str, Any] = {
        "answers": draw(st.dictionaries(st.sampled_from(NAMES), ANSWERS)),
        "red_flags": draw(st.dictionaries(st.sampled_from(list(load_checklist().red_flags)), ANSWERS)),
        "registry_number": draw(st.sampled_from([None, NUMBER, "NCT02855112", "ISRCTN12345678", "X1"])),
        "clinic": draw(st.sampled_from([{}, SOUND["clinic"], {"country": "Iran"}])),
        "cells": draw(st.sampled_from([None, "umbilical cord cells", "fat cells"])),
        "route": draw(st.sampled_from([None, "intrathecal", "into a vein"])),
        "doses": draw(st.none() | st.integers(1, 20)),
        "age_months": draw(st.none() | st.integers(0, 600)),
        "treatment_date": draw(st.sampled_from([None, "2027-03"])),
    }
    if data["answers"].get("no_charge") != "yes" and data["red_flags"].get("payment_up_front") != "no":
        data["price"] = draw(
            st.none()
            | st.fixed_dictionaries(
                {"amount": st.integers(0, 200_000), "currency": st.just("USD"), "before_treatment": ANSWERS}
            )
        )
    return offer_from_data(data)


FORBIDDEN = re.compile(
    r"promising|recommend|trustworthy|reliable|we advise|you can go on|harmless|proven to help"
)


@given(offers(), STUDIES, st.sampled_from(["online", "absent", "offline", "broken"]))
@settings(max_examples=120, deadline=None)
def test_no_offer_is_ever_called_safe(offer: Offer, study: dict[str, Any], how: str) -> None:
    record = parse_study(study_json(NUMBER, **study))
    registry = {
        "online": Registry(record),
        "absent": Registry(),
        "offline": None,
        "broken": Registry(fails=True),
    }[how]
    check = check_offer(offer, registry, TODAY)  # type: ignore[arg-type]
    text = text_of_check(check)
    sentence = "No check can show that an offer is safe."
    for said in (json.dumps(check), " ".join(text.split())):
        assert sentence in said
        assert not re.search(r"\bsafe(ly)?\b", said.replace(sentence, ""), re.IGNORECASE)
        assert not FORBIDDEN.search(said.lower())
    decisive = any(one["weight"] == "decisive" and one["answer"] == "no" for one in check["checklist"])
    assert (check["verdict"] == "do_not_go_on") == decisive
    if check["verdict"] == "no_gap_found":
        assert all(one["answer"] == "yes" for one in check["checklist"])
        assert how == "online"
    assert text.splitlines()[0].endswith(HEADINGS[check["verdict"]])


def test_the_page_shows_all_of_it_and_nothing_of_a_script() -> None:
    for check in (
        checked({"offer": "<script>alert(1)</script>"}),
        checked({"answers": {}, "red_flags": {"urgency": "yes"}}, None),
        checked({"registry_number": None}, None),
    ):
        page = offer_page(check)
        assert "<script" not in page
        plain = re.sub(r"<[^>]+>", " ", page)
        assert "No check can show that an offer is safe." in plain
        assert not re.search(
            r"\bsafe\b", plain.replace("No check can show that an offer is safe.", ""), re.IGNORECASE
        )
        for one in check["checklist"]:
            assert one["title"] in plain
        for question in check["questions"]:
            assert question in plain
        assert len(re.findall(r'id="source-\d+"', page)) == len(check["sources"])
        targets = set(re.findall(r'href="#(source-\d+)"', page))
        assert targets <= set(re.findall(r'id="(source-\d+)"', page))


def test_comparing_says_which_aspects_and_never_agrees_from_nothing() -> None:
    found = compare(Offer(), RegistryRecord(number=NUMBER, title="A study"), TODAY)
    assert {one.result for one in found} == {"cannot_tell"}


def test_families_can_read_it() -> None:
    checklist = load_checklist()
    entries = [*checklist.items.values(), *checklist.red_flags.values()]
    for texts in (
        [entry.reason for entry in entries],
        [entry.question for entry in entries if entry.question],
        [item.ask for item in checklist.items.values()],
        [item.legitimate for item in checklist.items.values()],
        [*checklist.limits, *checklist.answers_words.model_dump().values()],
    ):
        assert reading_grade(" ".join(texts)) < 8.0
    assert (
        reading_grade("The cat sat on the mat.")
        < 1.0
        < 12.0
        < reading_grade("Immunosuppression necessitates monitoring.")
    )
