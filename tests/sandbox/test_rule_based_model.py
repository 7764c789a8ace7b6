"""The stand-in of a model: suggestions of the page and kinds of messages get fitting words in their language."""

from __future__ import annotations

import json
import re
from typing import Any

from bot.agent.tools.catalog import TABLE
from bot.messages.prompt_text import tagged
from sandbox.phone import api
from sandbox.simulators.rule_based_model import answer_by_rules
from tests.paths import ROOT
from tests.rows import each

TOOLS = [{"function": {"name": row.tool.name}} for row in TABLE if row.tool.name != "export_products"]
STAFF_TOOLS = [{"function": {"name": row.tool.name}} for row in TABLE]
HOURS = {
    "now": "Monday 2026-11-30 23:32",
    "open_now": False,
    "hours": {day: ["09:00-19:00"] for day in ("monday", "tuesday", "wednesday", "thursday", "friday")}
    | {"saturday": ["10:00-14:00"], "sunday": "closed"},
    "facts": "Una tienda.\n- Dirección: Av. Insurgentes Sur 1234.\n- Correo: hola@example.com",
}


def asked(words: str, tools: list[dict[str, Any]] = TOOLS, *earlier: str) -> dict[str, Any]:
    return answer_by_rules([{"role": "user", "content": message} for message in (*earlier, words)], tools)


def tool_of(words: str, tools: list[dict[str, Any]] = TOOLS) -> str | None:
    calls = asked(words, tools).get("tool_calls")
    return calls[0]["function"]["name"] if calls else None


def told(words: str, tool: str, result: Any) -> str:
    """The answer after this tool has given this result."""
    call = {"id": "1", "function": {"name": tool, "arguments": "{}"}}
    content = result if isinstance(result, str) else json.dumps(result)
    messages: list[dict[str, Any]] = [
        {"role": "user", "content": words},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "1", "content": content},
    ]
    return str(answer_by_rules(messages, TOOLS)["content"])


def chips() -> list[str]:
    page = (ROOT / "sandbox/phone/page/language.js").read_text("utf-8")
    return re.findall(r'starter_\w+: "([^"]+)"', page)


@each("words", chips())
def test_a_suggestion_of_the_page_is_understood(words: str) -> None:
    said = asked(words)
    assert said.get("tool_calls") or not re.match("Te leí|I read", said["content"])


@each(
    ("tool", "sentences"),
    [
        (
            "cancel_subscription",
            (
                "quiero cancelar",
                "cancela mi plan",
                "cancel my subscription",
                "I want to cancel",
                "I'd like to cancel",
                "ya no quiero el servicio",
                "please cancel",
                "stop my subscription",
                "quiero darme de baja",
            ),
        ),
        (
            "resume_subscription",
            ("quiero seguir", "reanuda mi plan", "no canceles", "resume my plan", "don't cancel my plan"),
        ),
        (
            "open_portal",
            (
                "quiero cambiar mi tarjeta",
                "cambiar la tarjeta",
                "change my card",
                "a new card, please",
                "actualizar tarjeta",
                "update card",
                "quiero pagar",
                "me robaron la tarjeta",
                "se venció mi tarjeta",
                "my card expired",
            ),
        ),
        ("send_invoice", ("mándame mi factura por correo", "mail me my invoice", "e-mail me the receipt")),
        (
            "list_plans",
            (
                "¿cuánto cuesta?",
                "¿qué planes hay?",
                "how much is it?",
                "what plans do you have?",
                "quiero contratar",
                "I want a free trial",
                "quiero mi prueba gratis",
                "cómo me registro",
                "sign up",
            ),
        ),
        ("start_subscription", ("soy nuevo y quiero el plan Pro", "I'm new and want Pro", "quiero probar el plan Pro")),
        (
            "get_subscription",
            (
                "¿cuándo me cobran?",
                "when am I charged?",
                "my next payment",
                "¿cuánto pago?",
                "quiero saber el estado de mi suscripción y cuándo vence mi factura",
            ),
        ),
        (
            "find_products",
            (
                "¿tienen detergente?",
                "¿cuánto cuesta el café de grano?",
                "do you have soap?",
                "how much is a television?",
                "How much does the large bottle of laundry detergent cost?",
            ),
        ),
        ("business_hours", ("¿a qué hora abren?", "¿dónde están?", "when do you close?", "what is your address?")),
        ("list_files", ("mis archivos", "¿qué archivos tengo?", "show my files", "which files do you have of me?")),
        ("talk_to_a_person", ("quiero hablar con una persona", "I need a human")),
        ("notify_me", ("quiero recibir avisos", "I want notifications")),
    ],
)
def test_obvious_sentences_ask_for_their_tool(tool: str, sentences: tuple[str, ...]) -> None:
    assert {words: tool_of(words) for words in sentences} == dict.fromkeys(sentences, tool)


@each(
    "words",
    [
        "¿Dan factura?",
        "¿Tienen meses sin intereses?",
        "¿Tienen garantía?",
        "¿Hay envío gratis?",
        "Do you have a warranty?",
        "Do you give invoices?",
    ],
)
def test_what_a_newcomer_asks_of_a_shop_is_among_the_documents(words: str) -> None:
    assert tool_of(words) == "search_knowledge", words


def test_a_wish_to_try_it_for_free_shows_the_plans() -> None:
    assert tool_of("¿Puedo probarlo gratis?") == "list_plans"


def test_a_payment_with_a_card_is_no_wish_for_another_one() -> None:
    said = "La semana pasada hice el pago con mi tarjeta de crédito y no me llega la confirmación"
    assert tool_of(said) == "search_knowledge"


def test_a_photo_with_a_question_is_looked_up() -> None:
    photo = tagged("photo", text_read="Detergente")
    call = asked(f"{photo}\n¿Cuánto cuesta esto?")["tool_calls"][0]["function"]
    assert (call["name"], json.loads(call["arguments"])) == ("find_products", {"photo": True})


@each(
    ("spanish", "english", "answers"),
    [
        ("ok", "fine", ("De acuerdo. ¿Algo más?", "All right. Anything else?")),
        ("sí", "sure", ("De acuerdo. ¿Algo más?", "All right. Anything else?")),
        ("adiós", "bye", ("¡Hasta luego!", "Goodbye!")),
        ("¿eres un robot?", "is this a bot?", ("¡Hola! Soy el asistente virtual", "Hello! I am the virtual assistant")),
        (
            "Hola, ¿hay alguien?",
            "Hello? Is anybody there?",
            ("¡Hola! Soy el asistente virtual", "Hello! I am the virtual assistant"),
        ),
        ("qué onda", "good evening", ("¡Hola! Soy el asistente virtual", "Hello! I am the virtual assistant")),
        ("quisiera informes", "help", ("¡Hola! Soy el asistente virtual", "Hello! I am the virtual assistant")),
    ],
)
def test_small_talk_gets_fitting_words(spanish: str, english: str, answers: tuple[str, str]) -> None:
    assert asked(spanish)["content"].startswith(answers[0])
    assert asked(english, TOOLS, "Hello, how are you?")["content"].startswith(answers[1])


def test_staff_are_told_of_products() -> None:
    assert "mándame fotos de su etiqueta" in asked("hola", STAFF_TOOLS)["content"]
    assert asked("quiero agregar un producto", STAFF_TOOLS)["content"].startswith("Mándame una o varias fotos")
    assert "etiqueta" not in asked("hola")["content"]


def test_only_staff_export_the_catalogue() -> None:
    assert tool_of("exporta el catálogo", STAFF_TOOLS) == tool_of("export the catalogue", STAFF_TOOLS)
    assert tool_of("exporta el catálogo", STAFF_TOOLS) == "export_products"
    assert asked("exporta el catálogo")["content"].startswith("El catálogo completo sólo lo exporta el personal")


def test_the_hours_are_short_and_have_all_days() -> None:
    assert told("¿a qué hora abren?", "business_hours", HOURS) == (
        "Ahora está *cerrado*.\n- Lunes a viernes: 09:00-19:00\n- Sábado: 10:00-14:00\n- Domingo: cerrado"
    )
    assert told("what are your hours?", "business_hours", HOURS | {"open_now": True}) == (
        "It is *open* now.\n- Monday to Friday: 09:00-19:00\n- Saturday: 10:00-14:00\n- Sunday: closed"
    )
    assert told("¿dónde están?", "business_hours", HOURS) == "Dirección: Av. Insurgentes Sur 1234."
    assert told("where are you located?", "business_hours", HOURS) == "Address: Av. Insurgentes Sur 1234."


@each("tool", ["get_subscription", "change_plan", "send_invoice", "cancel_subscription", "confirm_code"])
@each(
    "error",
    [
        "there is no subscription. list_plans shows what there is, start_subscription begins one",
        "it is cancelled already: see get_subscription; resume_subscription takes it back",
        "it is not known which account this contact has. Ask for the e-mail address and call verify_email",
        "the payment system refused this. Say so, and offer a person of the team",
        "this tool is out of order now. Say so; don't guess its result.",
    ],
)
def test_a_customer_never_reads_the_error_of_a_tool(tool: str, error: str) -> None:
    for words in ("quiero mi plan", "what is my plan?"):
        said = told(words, tool, f"Error: {error}")
        assert said
        assert not any(part in said for part in ("Error", "_", "Say so", error[:20]))


@each(
    ("message", "spanish"),
    [
        (tagged("order", items="2 × SKU-1"), "Recibí tu pedido: 2 × SKU-1"),
        (tagged("sticker", note="a sticker, as a gesture"), "¡Qué buen sticker!"),
        (tagged("cards", cards="Carla: +52 55"), "Recibí el contacto de Carla: +52 55."),
        (tagged("tap", title="Sí"), "Elegiste «Sí»."),
        (tagged("form", answers="talla: M"), "Recibí tu formulario: talla: M."),
        (
            tagged("came_from_ad", headline="Rebajas") + "\nHola",
            "Vienes de nuestro anuncio «Rebajas». ¿En qué te ayudo?",
        ),
        (
            tagged("contact_cards", cards="Eva: 52 (the sender's own number, says WhatsApp)"),
            "Recibí el contacto de Eva: 52.",
        ),
        (tagged("forwarded_message", text="Vendo moto"), "Leí lo que reenviaste: «Vendo moto»."),
        (tagged("photo", text_read="none"), "Vi tu foto, pero no encontré texto"),
        (tagged("location", coordinates="19.4, -99.1", name="Zócalo"), "Recibí tu ubicación: Zócalo"),
    ],
)
def test_each_kind_of_message_has_fitting_words_without_tags(message: str, spanish: str) -> None:
    said = asked(message, TOOLS, "Hola, ¿cómo están?")["content"]
    assert said.startswith(spanish)
    english = asked(message.replace("Hola", "Hi").replace("¿Hay?", ""), TOOLS, "Hello, how are you?")["content"]
    assert english != said
    assert not re.search(r"[<>]", said + english)


def test_a_mailed_invoice_names_the_masked_address_and_a_trial_comes_before_the_payment() -> None:
    done = "Done: the invoice is on its way to a•••@example.com. Name the address only like that."
    assert told("mándame mi factura por correo", "send_invoice", done) == "Listo, te la mandé a a•••@example.com."
    page = "A button that opens the page is shown. Trial: 14 days."
    assert told("I'm new and want the Pro plan", "start_subscription", page).startswith(
        "You begin with a free trial of 14 days"
    )


def test_the_page_has_people_of_both_languages() -> None:
    assert asked("cancel", [])["content"].startswith("I read: ")
    assert asked("xyz", [], "What are your hours?")["content"].startswith("I read: ")
    assert {person.name for person in api.PEOPLE} >= {"Sam Walker"}


def test_what_no_other_rule_answers_is_searched_in_the_documents_and_quoted_with_its_source() -> None:
    tools = [{"function": {"name": "search_knowledge"}}, {"function": {"name": "business_hours"}}]
    asked = [{"role": "user", "content": "¿me instalan la impresora en Monterrey?"}]
    first = answer_by_rules(asked, tools)
    (call,) = first["tool_calls"]
    assert call["function"]["name"] == "search_knowledge"
    passage = tagged("document_passage", source="Zonas", place="Precios, row 4", text="Precios\nNorte: $750 & más")
    for result, said in (
        (passage, "Norte: $750 & más\n\n_Fuente: Zonas · Precios, fila 4_"),
        ("NOTHING FOUND", "Eso no lo sé"),
    ):
        told = [*asked, first, {"role": "tool", "tool_call_id": "call_1", "content": result}]
        assert answer_by_rules(told, tools)["content"].startswith(said)


def test_a_conversation_that_was_given_back_goes_on() -> None:
    given_back = tagged("given_back", by="Ana Morales", note="Su reembolso tarda 5 días.")
    alone = asked(given_back, TOOLS, "Hola, quiero hablar con una persona")
    assert "Ana Morales" in alone["content"]
    assert "reembolso" not in alone["content"]
    answered = [{"role": "user", "content": "¿A qué hora abren?"}, {"role": "assistant", "content": "A las 9."}]
    back = {"role": "user", "content": given_back}
    assert "Ana Morales" in answer_by_rules([*answered, back], TOOLS)["content"]
    assert answer_by_rules([answered[0], back], TOOLS)["tool_calls"]
    assert tool_of(f"{given_back}\n¿A qué hora abren?") == "business_hours"


def test_a_conversation_is_summarised_by_what_the_person_wrote() -> None:
    talk = tagged("conversation", lines="user: ¿Qué planes hay?\nassistant: Dos\ny más\nuser: El <Pro>")
    assert asked(talk, [])["content"] == "La persona escribió: «¿Qué planes hay?», «El <Pro>»."


def test_what_is_told_in_a_voice_note_is_looked_up_where_it_asks_something() -> None:
    assert tool_of(tagged("voice_note", seconds="6", transcript="Mi internet no funciona desde ayer")) is None
    assert tool_of(tagged("voice_note", seconds="6", transcript="¿Puedo regresar el equipo?")) == "search_knowledge"
