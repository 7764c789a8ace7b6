"""A card has the facts of the photos with their places; contradictions are asked about, and nothing is guessed."""

from __future__ import annotations

import pytest

from pipelines.barcodes import Barcode
from pipelines.image import TextLine
from pipelines.product import DoubtKind, card_from
from tests.pipelines.cards import asked, bars, line, photo_text, said
from tests.rows import each


def test_bars_and_digits_that_differ_are_asked_about() -> None:
    card = card_from([photo_text(line("7 751001 200354", 300, 610, 30), codes=(bars("7751001200342"),))])
    assert asked(card)["barcode"] == (DoubtKind.BARS_AND_DIGITS, ["7751001200342", "7751001200354"])
    assert not card.fields["barcode"].confident


@each(
    "lines",
    [
        [line("7503001234564", 300, 610, 30)],
        [line("7", 270, 610, 30), line("503001", 310, 611, 30), line("234564", 450, 609, 30)],
        [line("503001", 310, 611, 30), line("234564", 450, 609, 30)],
        [],
        [line("Tel. 5512345678", 300, 900, 30)],
    ],
)
def test_digits_that_agree_or_arent_read_raise_no_question(lines: list[TextLine]) -> None:
    card = card_from([photo_text(*lines, codes=(bars("7503001234564"),))])
    assert card.fields["barcode"].value == "7503001234564"
    assert card.fields["barcode"].confident
    assert card.doubts == ()


def test_two_numbers_are_asked_about() -> None:
    codes = (bars("7503001234564"), bars("7501055300075", y=50))
    card = card_from([photo_text(codes=codes)])
    assert asked(card)["barcode"] == (DoubtKind.SEVERAL, ["7503001234564", "7501055300075"])
    assert not card.fields["barcode"].confident


@each(
    ("codes", "value"),
    [
        ((bars("036602301467", "UPC-A"), bars("0036602301467", y=50)), "036602301467"),
        ((bars("17503001234561", "ITF"), bars("7503001234564", y=50)), "7503001234564"),
        ((bars("(01)07503001234564(10)A", "Data Matrix"), bars("7503001234564", y=50)), "7503001234564"),
        ((bars("https://example.mx", "QR Code"), bars("7503001234564", y=50)), "7503001234564"),
        ((bars("(01)09506000134352(10)A", "Data Matrix"),), "9506000134352"),
        ((bars("FRT-0050-CN", "Code 128"),), "FRT-0050-CN"),
    ],
)
def test_codes_of_one_product_are_one_number(codes: tuple[Barcode, ...], value: str) -> None:
    card = card_from([photo_text(codes=codes)])
    assert card.fields["barcode"].value == value
    assert card.doubts == ()


def test_a_qr_code_that_leads_to_a_page_is_no_number_of_a_product() -> None:
    card = card_from([photo_text(codes=(bars("https://example.mx", "QR Code"),))])
    assert "barcode" not in card.fields
    assert card.codes == ("https://example.mx",)


def test_short_bars_alone_are_not_relied_on() -> None:
    card = card_from([photo_text(codes=(bars("042100005264", "UPC-E"),))])
    assert asked(card)["barcode"] == (DoubtKind.UNSURE, ["042100005264"])


def test_two_contents_of_like_rank_are_asked_about() -> None:
    card = card_from([photo_text(line("400 g", 100, 300, 50), line("500 g", 500, 300, 50))])
    kind, values = asked(card)["size"]
    assert (kind, set(values)) == (DoubtKind.SEVERAL, {"400 g", "500 g"})


@pytest.mark.parametrize(
    ("lines", "size"),
    [
        ([line("CONT. NET. 400 g", 100, 300, 30), line("500 g", 500, 300, 30)], "400 g"),
        ([line("355 ml", 100, 300, 50), line("6 x 355 ml", 100, 500, 50)], "6 x 355 ml"),
        ([line("12 fl oz (355 ml)", 100, 300, 50)], "355 ml"),
    ],
)
def test_the_content_is_the_net_one_of_the_whole_pack_in_metric_units(lines: list[TextLine], size: str) -> None:
    card = card_from([photo_text(*lines)])
    assert card.fields["size"].value == size
    assert "size" not in asked(card)


@each(
    ("lines", "brand", "name"),
    [
        ([line("Lunaria", 100, 100, 120), line("Detergente líquido", 100, 300, 60)], "Lunaria", "Detergente líquido"),
        ([line("Detergente líquido", 100, 100, 60), line("Lunaria", 100, 300, 120)], "Lunaria", "Detergente líquido"),
        ([line("¡NUEVO!", 100, 20, 40), line("Kapok", 100, 100, 120), line("Almohada", 100, 300, 60)],
         "Kapok", "Almohada"),
        ([line("FRESCA MAÑANA", 100, 100, 66), line("Jugo de naranja", 100, 300, 64)],
         "FRESCA MAÑANA", "Jugo de naranja"),
        ([line("Lunaria", 100, 100, 120), line("Detergente", 100, 300, 60), line("líquido", 100, 380, 60)],
         "Lunaria", "Detergente líquido"),
        ([line("Lunaria", 100, 100, 120), line("CAFE MOLIDO", 100, 300, 60)], "Lunaria", "CAFÉ MOLIDO"),
        ([line("Marca: Andina", 100, 700, 20), line("Quinoa blanca", 100, 300, 60)], "Andina", "Quinoa blanca"),
    ],
)  # fmt: skip
def test_brand_and_name_are_told_by_type_not_by_the_first_line(lines: list[TextLine], brand: str, name: str) -> None:
    card = card_from([photo_text(*lines)])
    assert (card.fields["brand"].value, card.fields["name"].value) == (brand, name)


def test_a_tag_says_which_line_of_the_front_is_the_name() -> None:
    front = photo_text(line("Puerto Escondido", 100, 100, 60), line("Mejillones", 100, 300, 80))
    tag = photo_text(line("MEJILLONES PUERTO ESCONDIDO 115 G", 100, 100, 40), line("$42.50", 100, 200, 150))
    card = card_from([front, tag])
    assert (said(card)["name"], said(card)["brand"]) == ("Mejillones", "Puerto Escondido")


def test_photos_that_show_nothing_make_an_empty_card() -> None:
    card = card_from([photo_text(), photo_text(line("~", 1, 1, 10))])
    assert card.fields == {}
    assert card.doubts == ()
    assert card_from([]).fields == {}


@pytest.mark.parametrize("confidence", [0.51, 0.7, 0.85])
def test_what_was_read_badly_is_never_called_sure(confidence: float) -> None:
    lines = [line("Lunaria", 100, 20, 90), line("Detergente líquido", 100, 150, 50), line("3 L", 800, 900, 50)]
    card = card_from(
        [
            photo_text(
                *(
                    line(printed.text, printed.box.x, printed.box.y, printed.box.height, confidence=confidence)
                    for printed in lines
                )
            )
        ]
    )
    assert not any(field.confident for field in card.fields.values())


@pytest.mark.parametrize(
    ("lines", "name", "brand"),
    [
        (["Lunaria", "Jabón", "para manos"], "Jabón para manos", "Lunaria"),
        (["LUNARIA", "JABÓN", "PARA MANOS"], "JABÓN PARA MANOS", "LUNARIA"),
        (["Lunaria", "Arroz", "Sin gluten"], "Arroz", "Lunaria"),
    ],
)
def test_a_name_may_go_on_in_the_next_line(lines: list[str], name: str, brand: str) -> None:
    card = card_from([photo_text(*(line(text, 100, 100 + 110 * place, 84) for place, text in enumerate(lines)))])
    assert (said(card)["name"], said(card)["brand"]) == (name, brand)


@each(
    ("tag", "unsure"),
    [
        ("JABON PARA MANOS LUNARIA 1 L", set()),
        ("JABON PARA MANOS", {"brand"}),
        ("JABON PARA MANOS ANTIBACTERIAL LUNARIA 1 L", {"name", "brand"}),
        ("JABON PARAMANOS LUNARIA 1 L", {"name", "brand"}),
        ("JABON LIQUIDO LUNARIA 1 L", {"name", "brand"}),
    ],
)
def test_a_name_is_sure_where_front_and_tag_say_it_word_for_word(tag: str, unsure: set[str]) -> None:
    front = photo_text(line("Lunaria", 100, 100, 100), line("Jabón para manos", 100, 300, 50))
    card = card_from([front, photo_text(line(tag, 100, 100, 40), line("$42.50", 100, 200, 150))])
    assert said(card)["name"] == "Jabón para manos"
    assert set(asked(card)) == unsure


def test_a_brand_that_only_the_front_says_is_asked_about() -> None:
    card = card_from([photo_text(line("Lunaria", 100, 100, 100), line("Jabón para manos", 100, 300, 50))])
    assert asked(card)["brand"] == (DoubtKind.UNSURE, ["Lunaria"])


@pytest.mark.parametrize("text", ["A partir de 6 pzas $46.22", "Mayoreo 3 pzas", "6 pzas o más $20.00"])
def test_a_quantity_to_buy_is_no_content(text: str) -> None:
    card = card_from([photo_text(line("Papel aluminio 20 m", 100, 100, 40), line(text, 100, 400, 60))])
    assert said(card)["size"] == "20 m"
    assert "size" not in asked(card)


def test_a_content_with_a_point_is_no_price() -> None:
    card = card_from([photo_text(line("LECHE 1.89 L", 100, 100, 40))])
    assert said(card) == {"size": "1.89 L", "name": "LECHE"}


@pytest.mark.parametrize("printed", ["(01)07503001234564", "01)07503001234564(17)27", "11)07503001234564(10)A"])
def test_a_gs1_code_is_told_by_its_printed_elements(printed: str) -> None:
    card = card_from([photo_text(line(printed, 100, 100, 30))])
    assert asked(card)["barcode"] == (DoubtKind.DIGITS_ONLY, ["7503001234564"])
