"""A mapping that a user made once, kept for the files to come."""

import pytest

from ctm_analytics.errors import InvalidArgument, InvalidFile

HEADER = "day,ad_id,Net cost,currency,spend\n"
MAPPING = {"Net cost": "spend"}


def content(day=1):
    return f"{HEADER}2026-11-{day:02},8,1.00,USD,9.00\n"


def presets(importer):
    return sorted(path.name for path in importer.data.glob("imports/presets/*"))


def test_a_saved_mapping_is_used_for_files_with_its_columns(importer):
    importer.run("spend", content(), mapping=MAPPING, save_preset="agency")
    summary = importer.run("spend", content(2), minutes=5)
    assert summary.preset == "agency"
    assert importer.column("spend", "spend") == [1, 1]
    assert importer.run("spend", content(3).replace("Net cost", "Other"), minutes=6).preset == "plain"


def test_a_saved_mapping_can_be_named(importer):
    importer.run("spend", content(), mapping=MAPPING, save_preset="agency")
    assert importer.run("spend", content(2), minutes=5, preset="agency").preset == "agency"
    assert importer.run("spend", content(3), minutes=6, preset="plain").preset == "plain"


def test_a_named_preset_whose_column_is_not_there_is_said(importer):
    importer.run("spend", content(), mapping=MAPPING, save_preset="agency", dry_run=False)
    with pytest.raises(InvalidArgument, match=r"mapping: file.csv has no column 'Net cost'"):
        importer.run("spend", content(2).replace("Net cost", "Costs"), preset="agency")


def test_a_saved_mapping_can_be_extended_and_replaced(importer):
    file = "Tag,ad_id,Net cost,currency\n2026-11-01,8,1.00,USD\n"
    importer.run("spend", file, mapping=MAPPING | {"Tag": "day"}, save_preset="agency")
    importer.run(
        "spend", file + "2026-11-02,8,1.00,USD\n", mapping={"Tag": "day"}, save_preset="agency", minutes=5
    )
    saved = (importer.data / "imports" / "presets" / "spend_agency.toml").read_text()
    assert saved.endswith(
        'based_on = "plain"\n\n# Column of the file = field.\n[mapping]\n"Net cost" = "spend"\n"Tag" = "day"\n'
    )


def test_a_column_of_any_name_can_be_kept(importer):
    column = 'Größe "M"\t\\ = [x]\x7f'
    quoted = column.replace('"', '""')
    file = f'day,ad_id,"{quoted}",currency\n2026-11-01,8,1.00,USD\n'
    importer.run("spend", file, mapping={column: "spend"}, save_preset="odd")
    assert importer.run("spend", file + "2026-11-02,8,1.00,USD\n", minutes=5).preset == "odd"


def test_a_dry_run_keeps_nothing(importer):
    importer.run("spend", content(), mapping=MAPPING, save_preset="agency", dry_run=True)
    assert presets(importer) == []


def test_a_mapping_is_kept_also_when_the_rows_are_there_already(importer):
    importer.run("spend", content(), mapping=MAPPING)
    again = importer.run("spend", content(), mapping=MAPPING, save_preset="agency")
    assert again.already_imported_at is not None
    assert presets(importer) == ["spend_agency.toml"]


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"save_preset": "agency"}, "save_preset: there is no mapping to keep. Add --map COLUMN=FIELD."),
        (
            {"save_preset": "plain", "mapping": MAPPING},
            "save_preset: 'plain' is there already, and not yours. Choose another name.",
        ),
        (
            {"save_preset": "../x", "mapping": MAPPING},
            "save_preset: '../x' is no name for a preset. Use small letters, digits, '_' and '-'.",
        ),
    ],
)
def test_what_cannot_be_kept_is_said(importer, choices, message):
    assert importer.error("spend", content(), **choices) == message
    assert presets(importer) == []


def test_a_broken_saved_preset_is_named(importer):
    importer.run("spend", content(), mapping=MAPPING, save_preset="agency")
    path = importer.data / "imports" / "presets" / "spend_agency.toml"
    path.write_text("based_on = 'no'\n[mapping]\n")
    with pytest.raises(InvalidFile, match=r"spend_agency.toml: not a saved preset \(StopIteration: \)"):
        importer.run("spend", content(2))


def test_a_preset_of_another_kind_is_not_offered(importer):
    importer.run("spend", content(), mapping=MAPPING, save_preset="agency")
    assert "'agency' is no preset for sales" in importer.error("sales", content(), preset="agency")


def test_a_saved_preset_is_known_by_its_columns_not_by_those_of_what_it_was_made_from(importer):
    content = "Email,Cell\nana@example.com,+5521999998888\n"
    importer.run("contacts", content, preset="manychat", mapping={"Cell": "phone"}, save_preset="crm")
    assert importer.run("contacts", content.replace("9998888", "9998889"), minutes=5).preset == "crm"
