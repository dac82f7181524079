"""Ads Manager's exports in other languages: the same rows below other headers and in other notations."""

from datetime import date
from decimal import Decimal

import pytest

from ctm_analytics.imports.presets import presets_of

META = next(preset for preset in presets_of("spend") if preset.name == "meta_ads_manager")
TYPED = "actions:onsite_conversion.messaging_conversation_started_7d"

# The columns of real exports (daily, ad level), each as its language writes numbers and dates, a totals row first.
EXPORTS = {
    "es": (
        "Nombre del anuncio,Identificador del anuncio,Nombre del conjunto de anuncios,Día,Importe gastado (PEN),"
        "Impresiones,Clics en el enlace,Conversaciones con mensajes iniciadas,Inicio del informe,Fin del informe\n"
        '"Total",,,,"1,046.80","12,300",20,3,2026-11-01,2026-11-30\n'
        '"Niño, azul",120226305854810123,Lima,2026-11-14,"1,034.30","12,000",15,3,2026-11-01,2026-11-30\n'
        '"Niño, azul",120226305854810123,Lima,2026-11-15,12.50,300,5,,2026-11-01,2026-11-30\n'
    ),
    "pt": (
        "Início dos relatórios;Encerramento dos relatórios;Nome do anúncio;Identificação do anúncio;"
        "Nome do conjunto de anúncios;Valor usado (BRL);Impressões;Cliques no link;Conversas por mensagem iniciadas\n"
        "2026-11-01;2026-11-30;;;;1.046,80;12.300;20;3\n"
        "2026-11-14;2026-11-14;Niño, azul;120226305854810123;Lima;1.034,30;12.000;15;3\n"
        "2026-11-15;2026-11-15;Niño, azul;120226305854810123;Lima;12,50;300;5;\n"
    ),
    "fr": (
        "Jour,Nom de la publicité,ID de la publicité,Nom de l’ensemble de publicités,Montant dépensé (EUR),"
        "Impressions,Clics sur un lien,Résultats,Indicateur de résultats\n"
        ',Total,,,"1\u202f046,80","12\u202f300",20,,\n'
        f'14/11/2026,"Niño, azul",120226305854810123,Lima,"1\u202f034,30","12\u202f000",15,3,{TYPED}\n'
        '15/11/2026,"Niño, azul",120226305854810123,Lima,"12,50",300,5,9,actions:link_click\n'
    ),
    "de": (
        "Tag;Anzeigenname;Anzeigen-ID;Name der Anzeigengruppe;Ausgegebener Betrag (EUR);Impressionen;Link-Klicks;"
        "Ergebnisse;Ergebnistyp\n"
        "14.11.2026;Niño, azul;120226305854810123;Lima;1.034,30;12.000;15;3;Begonnene Messaging-Unterhaltungen\n"
        "15.11.2026;Niño, azul;120226305854810123;Lima;12,50;300;5;;\n"
        ";Gesamtsumme;;;1.046,80;12.300;20;3;\n"
    ),
    "it": (
        "Giorno,Nome dell'inserzione,ID inserzione,Nome del gruppo di inserzioni,Importo speso (EUR),Impression,"
        "Clic sul link,Risultati,Indicatore di risultato\n"
        f'2026-11-14,"Niño, azul",120226305854810123,Lima,"1.034,30","12.000",15,3,{TYPED}\n'
        '2026-11-15,"Niño, azul",120226305854810123,Lima,"12,50",300,5,,\n'
        ',Totale,,,"1.046,80","12.300",20,3,\n'
    ),
    "nl": (
        "Dag;Naam advertentie;Advertentie-ID;Naam advertentieset;Besteed bedrag (EUR);Weergaven;Klikken op links;"
        "Gestarte gesprekken via berichten\n"
        '14-11-2026;"Niño, azul";120226305854810123;Lima;"1.034,30";12.000;15;3\n'
        '15-11-2026;"Niño, azul";120226305854810123;Lima;"12,50";300;5;\n'
        ";Totaal;;;1.046,80;12.300;20;3\n"
    ),
}
# Currencies whose amounts are whole numbers.
WHOLE_EXPORTS = {
    "id": (
        "Awal pelaporan,Akhir pelaporan,Nama iklan,ID iklan,Nama set iklan,Hasil,Indikator Hasil,"
        "Jumlah yang dibelanjakan (IDR),Impresi,Klik tautan\n"
        f'2026-11-14,2026-11-14,"Niño, azul",120226305854810123,Lima,3,{TYPED},1034000,"12.000",15\n'
        '2026-11-15,2026-11-15,"Niño, azul",120226305854810123,Lima,,,12000,300,5\n'
        ',,Total,,,,,"1.046.000","12.300",20\n'
    ),
    "ja": (
        "レポート開始日,レポート終了日,広告の名前,広告ID,広告セット名,結果,結果インジケーター,"
        "消化金額（JPY）,インプレッション,リンクのクリック\n"
        ',,合計,,,,,"1,046,000","12,300",20\n'
        f'2026-11-14,2026-11-14,"Niño, azul",120226305854810123,Lima,3,{TYPED},"1,034,000","12,000",15\n'
        '2026-11-15,2026-11-15,"Niño, azul",120226305854810123,Lima,,,"12,000",300,5\n'
    ),
}


def found(importer):
    names = (
        "day",
        "ad_id",
        "ad_name",
        "adset_name",
        "spend",
        "impressions",
        "link_clicks",
        "reported_conversations",
    )
    return [tuple(row[name] for name in names) for row in importer.rows("spend")]


@pytest.mark.parametrize("language", EXPORTS)
def test_an_export_in_another_language_gives_the_same_rows(importer, language):
    summary = importer.run("spend", EXPORTS[language])
    same = ("120226305854810123", "Niño, azul", "Lima")
    assert found(importer) == [
        (date(2026, 11, 14), *same, Decimal("1034.30"), 12000, 15, 3),
        (date(2026, 11, 15), *same, Decimal("12.50"), 300, 5, None),
    ]
    assert (summary.rows_read, summary.rows_imported, summary.left_out[0][1][:11]) == (3, 2, "totals row ")
    assert summary.notes == ()


@pytest.mark.parametrize("language", WHOLE_EXPORTS)
def test_an_export_in_a_currency_of_whole_numbers_gives_the_same_rows(importer, language):
    summary = importer.run("spend", WHOLE_EXPORTS[language])
    same = ("120226305854810123", "Niño, azul", "Lima")
    assert found(importer) == [
        (date(2026, 11, 14), *same, Decimal("1034000.00"), 12000, 15, 3),
        (date(2026, 11, 15), *same, Decimal("12000.00"), 300, 5, None),
    ]
    assert (summary.rows_imported, summary.notes) == (2, ())


def test_an_accent_may_be_a_character_of_its_own(importer):
    importer.run("spend", "Di\u0301a,Identificador del anuncio,Importe gastado (PEN)\n2026-11-14,8,1.00\n")
    assert importer.column("spend", "currency") == ["PEN"]


def test_a_missing_column_is_named_in_the_language_of_the_file(importer):
    assert importer.error("spend", "Día,Nombre del anuncio,Importe gastado (PEN)\n2026-11-14,x,1.00\n") == (
        "file.csv: read as Meta Ads Manager, but 1 required column is missing.\n"
        '  no column "Identificador del anuncio" (field ad_id). Names are not unique: add the column Ad ID'
        " (Columns → Customise columns) and export again.\n"
        '  found: "Día", "Nombre del anuncio", "Importe gastado (PEN)"'
    )


def test_every_language_spells_every_column():
    languages = {"en", "es", "pt", "fr", "de", "it", "nl", "id", "ja"}
    assert {name: set(rule.headers) for name, rule in META.fields.items()} == dict.fromkeys(
        META.fields, languages
    )
    assert set(META.rules["totals"]["labels"]) == languages


def test_no_header_means_two_things():
    claims = [(alias.casefold(), name) for name, rule in META.fields.items() for alias in rule.spellings]
    assert len({alias for alias, _ in set(claims)}) == len(set(claims))


def test_results_of_another_type_are_no_conversations(importer, sample):
    importer.run("spend", sample("ads_reporting_daily.csv"))
    assert importer.column("spend", "reported_conversations") == [12, None]


def test_results_that_are_no_number_are_left_out_and_said(importer):
    header = "Day,Ad ID,Amount spent (USD),Results,Result indicator\n"
    summary = importer.run("spend", f"{header}2026-11-14,8,1.00,—,{TYPED}\n")
    assert summary.notes == ("Results (line 2): not a number, left out",)
    assert importer.column("spend", "reported_conversations") == [None]


def test_results_without_a_type_are_no_conversations_and_the_summary_says_why(importer):
    header = "Day,Ad ID,Amount spent (USD),Results\n"
    summary = importer.run("spend", f"{header}2026-11-14,8,1.00,3\n2026-11-15,8,1.00,\n")
    (note,) = summary.notes
    assert note.startswith("'Results' says in 1 row how many, but not of what")
    assert '--map "Results=reported_conversations"' in note
    assert importer.column("spend", "reported_conversations") == [None, None]
    mapped = importer.run(
        "spend", f"{header}2026-11-16,8,2.00,3\n", mapping={"Results": "reported_conversations"}
    )
    assert (mapped.notes, 3 in importer.column("spend", "reported_conversations")) == ((), True)


def test_a_column_of_conversations_wins_over_the_results(importer):
    header = "Day,Ad ID,Amount spent (USD),Messaging conversations started,Results,Result indicator\n"
    importer.run("spend", f"{header}2026-11-14,8,1.00,4,5,{TYPED}\n2026-11-15,8,1.00,,5,{TYPED}\n")
    assert importer.column("spend", "reported_conversations") == [4, 5]


@pytest.mark.parametrize(
    ("text", "amount"), [("1.234", 1234), ("1,234", 1234), ("1234", 1234), ("1234.00", 1234)]
)
def test_three_digits_after_a_sign_are_thousands_in_a_currency_without_decimals(importer, text, amount):
    importer.run("spend", f'day,ad_id,spend,currency\n2026-11-14,8,"{text}",jpy\n')
    assert importer.column("spend", "spend") == [Decimal(amount)]


def test_a_count_settles_the_notation_of_the_amounts(importer):
    importer.run("spend", "day;ad_id;spend;currency;impressions\n2026-11-14;8;1.250;EUR;3.500\n")
    assert importer.column("spend", "spend") == [Decimal("1250.00")]


def test_decimals_in_a_currency_without_them_are_a_bad_row(importer):
    content = "day,ad_id,spend,currency\n2026-11-14,8,12.50,JPY\n2026-11-14,9,12.50,USD\n"
    assert importer.error("spend", content) == (
        "file.csv: 1 of 2 rows fit, 1 does not (nothing imported; --max-errors 1 to import the others).\n"
        '  line 2  spend  "12.50"  JPY has no decimals'
    )
