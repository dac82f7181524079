"""A file with faults is mended from the messages alone."""

from pathlib import Path

FILES = Path(__file__).parents[1] / "analytics" / "imports" / "files"


def test_a_shopify_export_with_three_faults_is_mended_in_one_round(ctm, tmp_path):
    file, data = tmp_path / "orders.csv", tmp_path / "data"
    good = (FILES / "shopify_orders.csv").read_text()
    faults = {
        '"1,050.00"': '"1,050.00 or so"',
        "2026-03-14 08:00:00 +0000,1,Cup": "14 March 2026,1,Cup",
        "r4,9.99": "r4,99.90",
    }
    faulty = good
    for right, wrong in faults.items():
        faulty = faulty.replace(right, wrong, 1)
    file.write_text(faulty)
    run = ctm("import", "sales", file, "--data", data)
    assert run.exit_code == 1
    assert run.stderr.splitlines()[:4] == [
        "ctm: orders.csv: 3 of 6 rows fit, 3 do not (nothing imported; --max-errors 3 to import the others).",
        '  line 6  Total            "1,050.00 or so"  not a number',
        '  line 7  Created at       "14 March 2026"   not a date: expected YYYY-MM-DD',
        '  line 8  Refunded Amount  "99.90"           more than the sale itself, 9.99',
    ]
    lines = faulty.splitlines(keepends=True)
    lines[5] = lines[5].replace("1,050.00 or so", "1,050.00")
    lines[6] = lines[6].replace("14 March 2026", "2026-03-14 08:00:00 +0000")
    lines[7] = lines[7].replace("99.90", "9.99")
    file.write_text("".join(lines))
    run = ctm("import", "sales", file, "--data", data)
    assert run.exit_code == 0
    assert "6 read, 5 imported" in run.text


def test_an_ads_manager_export_with_three_faults_is_mended_step_by_step(ctm, tmp_path):
    file, data = tmp_path / "meta.csv", tmp_path / "data"
    text = (FILES / "meta_table_export.csv").read_text()
    text = text.replace("Amount spent (USD)", "Amount spend (USD)")
    text = text.replace("120226305854810123", "1.20226E+17")
    text = text.replace('2026-11-02,2026-11-02,"Spring, second"', '2026-11-02,2026-11-08,"Spring, second"')
    file.write_text(text)
    command = ("import", "spend", file, "--data", data)
    run = ctm(*command)
    assert run.exit_code == 1
    assert 'Then add --map "Amount spend (USD)=spend".' in run.stderr
    command = (*command, "--map", "Amount spend (USD)=spend")
    run = ctm(*command)
    assert run.exit_code == 1
    assert "1 row covers several days (line 5: 2026-11-02 to 2026-11-08)" in run.stderr
    assert "Break the report down by day" in run.stderr
    file.write_text(file.read_text().replace("2026-11-08", "2026-11-02"))
    run = ctm(*command)
    assert run.exit_code == 1
    assert '  line 3  Ad ID  "1.20226E+17"  rounded by Excel' in run.stderr
    assert "export the file again as CSV and do not open it in Excel before the import." in run.stderr
    file.write_text(file.read_text().replace("1.20226E+17", "120226305854810123"))
    run = ctm(*command)
    assert run.exit_code == 0
    assert "1,164.63 USD" in run.text
