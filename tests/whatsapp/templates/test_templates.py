"""Templates at Meta, as Recado knows them: synced, changed by webhooks, chosen by language, and refused in words."""

import asyncio
from typing import Any

import pytest
from bullmq import Queue

from bot.infra.redis import answer
from bot.messages.outbound import Template
from bot.whatsapp.client import Graph
from bot.whatsapp.errors import GraphError
from bot.whatsapp.templates.registry import TemplateNotSendable, Templates
from sandbox.meta.simulator import Person
from sandbox.meta.templates import Template as AtMeta
from sandbox.meta.templates import default_templates
from tests.processes import eventually
from tests.turns.test_conversation import settled, text
from tests.waiting import PATIENCE
from tests.whatsapp.templates.meta_templates import ORDER, VALUES, at_meta
from tests.world import Start, World


def only(world: World, *languages: str, **changes: Any) -> None:
    """Leave the order's confirmation at Meta in these languages alone."""
    world.meta.templates._by_id.clear()
    for language in languages:
        world.meta.templates._by_id[language] = AtMeta(
            "order_confirmation", language, "UTILITY", default_templates()[0].components, **changes
        )


async def deliver(world: World, field: str, language: str = "es", **value: Any) -> None:
    which = {"message_template_name": "order_confirmation", "message_template_language": language}
    assert await world.meta.deliver(which | {"message_template_id": 1} | value, field_name=field)


async def test_all_pages_of_metas_list_are_taken_over(shop: World, templates: Templates) -> None:
    for number in range(230):
        template = AtMeta(f"extra_{number}", "es", "UTILITY", [{"type": "BODY", "text": "Hola a todos."}])
        shop.meta.templates._by_id[template.id] = template
    kept = await templates.sync()
    assert len(kept) == 236
    assert [template.synced.name for template in await templates.all()] == [stored.synced.name for stored in kept]
    first = kept[0].synced
    assert (first.status, first.category, first.parameter_format, first.quality) == (
        "APPROVED", "UTILITY", "POSITIONAL" if first.parameter_format == "POSITIONAL" else "NAMED", "UNKNOWN",
    )  # fmt: skip


async def test_what_is_gone_at_meta_is_gone_here(shop: World, templates: Templates) -> None:
    await templates.sync()
    shop.meta.templates.delete("order_confirmation")
    await templates.sync()
    assert {template.synced.name for template in await templates.all()} == {"payment_reminder", "shipping_update"}


async def test_the_first_use_learns_what_there_is(templates: Templates) -> None:
    payload = await templates.render_template(ORDER, "es")
    assert payload["type"] == "template"
    assert payload["template"]["language"] == {"code": "es"}
    assert payload["template"]["components"][0]["parameters"][0] == {
        "type": "text", "parameter_name": "name", "text": "Ana",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "contact", "there", "chosen"),
    [
        ("es_MX", "en", ["es", "es_MX", "en_US"], "es_MX"),
        ("es-MX", None, ["es", "es_MX"], "es_MX"),
        (None, "en", ["en_US", "es_MX"], "en_US"),
        (None, "es", ["en_US", "es_MX", "es"], "es"),
        ("es_MX", None, ["en_US", "es_AR"], "es_AR"),
        (None, "pt", ["en_US", "es_MX"], "es_MX"),
        (None, None, ["en_US", "es"], "es"),
        (None, "fr", ["de", "it"], "de"),
        ("es", "en", ["en_US", "es_MX"], "es_MX"),
        ("en", "es", ["en_GB", "es"], "en_GB"),
    ],
)
async def test_the_language_is_the_asked_one_or_its_sister_or_the_companys_or_any(
    shop: World, templates: Templates, asked: str | None, contact: str | None, there: list[str], chosen: str
) -> None:
    only(shop, *there)
    payload = await templates.render_template(ORDER.model_copy(update={"language": asked}), contact)
    assert payload["template"]["language"]["code"] == chosen


@pytest.mark.parametrize("status", ["PENDING", "REJECTED", "PAUSED", "DISABLED", "IN_APPEAL", "ARCHIVED"])
async def test_only_approved_ones_leave_and_the_others_say_what_they_are(
    shop: World, templates: Templates, status: str
) -> None:
    only(shop, "es_MX", status=status)
    with pytest.raises(TemplateNotSendable, match=rf"order_confirmation \(es_MX\) is {status}"):
        await templates.render_template(ORDER, "es")


async def test_another_language_that_is_approved_stands_in(shop: World, templates: Templates) -> None:
    only(shop, "es_MX", "en_US")
    at_meta(shop, "order_confirmation", "es_MX").status = "PAUSED"
    payload = await templates.render_template(ORDER, "es")
    assert payload["template"]["language"]["code"] == "en_US"


@pytest.mark.parametrize(
    ("asked", "there", "paused", "complaint"),
    [
        ("es_MX", ["es_MX", "en_US"], ["es_MX"], r"\(es_MX\) is PAUSED"),
        ("es-MX", ["es_MX", "en_US"], ["es_MX"], r"\(es_MX\) is PAUSED"),
        ("es_MX", ["es_MX", "es", "en_US"], ["es_MX", "es"], r"\(es_MX\) is PAUSED"),
        ("es", ["es_AR", "en_US"], ["es_AR"], r"\(es_AR\) is PAUSED"),
        ("fr", ["en_US", "es"], [], "is not at Meta in fr, but in en_US, es"),
        ("pt_BR", ["es"], [], "is not at Meta in pt_BR, but in es"),
    ],
)
@pytest.mark.parametrize("contact", ["en", None])
async def test_a_language_that_was_asked_for_is_kept_or_nothing_leaves(
    shop: World,
    templates: Templates,
    asked: str,
    there: list[str],
    paused: list[str],
    complaint: str,
    contact: str | None,
) -> None:
    only(shop, *there)
    for language in paused:
        at_meta(shop, "order_confirmation", language).status = "PAUSED"
    with pytest.raises(TemplateNotSendable, match=complaint):
        await templates.prepare(ORDER.model_copy(update={"language": asked}), contact)


async def test_the_sister_of_a_language_that_is_paused_stands_in(shop: World, templates: Templates) -> None:
    only(shop, "es_MX", "es", "en_US")
    at_meta(shop, "order_confirmation", "es_MX").status = "PAUSED"
    payload = await templates.render_template(ORDER.model_copy(update={"language": "es_MX"}), "en")
    assert payload["template"]["language"]["code"] == "es"


@pytest.mark.parametrize("asked", ["es_MX", None])
async def test_a_job_whose_language_is_paused_fails_unless_it_is_the_persons_own(
    start: Start, ana: Person, asked: str | None
) -> None:
    world = await start()
    await world.meta.writes(ana, text("hola"))
    await world.meta.replies(ana)
    await settled(world)
    only(world, "es_MX", "en_US")
    at_meta(world, "order_confirmation", "es_MX").status = "PAUSED"
    data = {"to": ana.phone, "template": "order_confirmation", "parameters": VALUES}
    job = await Queue("notification", {"connection": world.redis}).add(
        "template", data | ({"language": asked} if asked else {}), {"jobId": "order-1"}
    )
    if asked:
        why = await eventually(lambda: answer(world.redis.hget(f"bull:notification:{job.id}", "failedReason")))
        assert "(es_MX) is PAUSED" in str(why)
        assert [message.type for message in world.meta.sent_to(ana)] == ["text"]
    else:
        _, sent = await world.meta.replies(ana, 2)
        assert sent.request["template"]["language"]["code"] == "en_US"


async def test_an_unknown_template_and_wrong_parameters_are_told(templates: Templates) -> None:
    with pytest.raises(TemplateNotSendable, match="no template 'birthday'"):
        await templates.render_template(Template(name="birthday"), "es")
    with pytest.raises(TemplateNotSendable, match="missing: total; unknown: sum"):
        await templates.render_template(
            ORDER.model_copy(update={"parameters": {"name": "A", "order": "1", "sum": "2"}}), "es"
        )


async def test_a_template_that_counts_its_variables_takes_our_names_in_the_order_of_our_file(
    shop: World, templates: Templates
) -> None:
    only(shop)
    body = {"type": "BODY", "text": "Pedido {{1}} de {{2}} por {{3}} recibido."}
    shop.meta.templates._by_id["1"] = AtMeta("order_confirmation", "es", "UTILITY", [body], "POSITIONAL")
    prepared = await templates.prepare(ORDER, "es")
    assert prepared.words == "Pedido A-17 de Ana por 120.00 MXN recibido."
    by_number = ORDER.model_copy(update={"parameters": {"1": "A", "2": "B", "3": "C"}})
    assert (await templates.prepare(by_number, "es")).words == "Pedido A de B por C recibido."


async def test_meta_is_asked_again_before_a_refusal_but_not_all_the_time(shop: World, templates: Templates) -> None:
    with pytest.raises(TemplateNotSendable):
        await templates.render_template(Template(name="late"), "es")
    shop.meta.templates._by_id["9"] = AtMeta("late", "es", "UTILITY", [{"type": "BODY", "text": "Ya llegó."}])
    with pytest.raises(TemplateNotSendable):
        await templates.render_template(Template(name="late"), "es")
    await deliver(shop, "message_template_status_update", event="APPROVED", message_template_name="late")
    assert (await templates.prepare(Template(name="late"), "es")).words == "Ya llegó."


async def test_whoever_gives_up_on_a_silent_meta_leaves_the_way_to_others(shop: World, templates: Templates) -> None:
    shop.meta.will_delay(600, call="templates")
    order = Template(name="order_confirmation", parameters={"name": "Ana", "order": "1", "total": "$1"})
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await templates.prepare(order, "es")
    async with asyncio.timeout(PATIENCE):
        assert "Ana" in (await templates.prepare(order, "es")).words


async def test_who_waits_for_a_process_that_died_asking_asks_in_its_place(shop: World, templates: Templates) -> None:
    await shop.redis.set("recado:{templates}:looked", "asking", px=200)
    assert "Ana" in (await templates.prepare(ORDER, "es")).words


@pytest.mark.parametrize(
    ("event", "reason", "complaint"),
    [
        ("PAUSED", "NONE", "is PAUSED"),
        ("REJECTED", "SCAM", "is REJECTED: SCAM"),
        ("DISABLED", "NONE", "is DISABLED"),
        ("PENDING_DELETION", "NONE", "is PENDING_DELETION"),
    ],
)
async def test_a_webhook_stops_a_template_at_once(
    shop: World, templates: Templates, event: str, reason: str, complaint: str
) -> None:
    only(shop, "es")
    await templates.sync()
    at_meta(shop, "order_confirmation", "es").status = event
    await deliver(shop, "message_template_status_update", event=event, reason=reason)
    (kept,) = await templates.named("order_confirmation")
    assert complaint in (kept.why_not or "")
    with pytest.raises(TemplateNotSendable, match=f"is {event}"):
        await templates.render_template(ORDER, "es")


async def test_a_webhook_lets_it_leave_again(shop: World, templates: Templates) -> None:
    only(shop, "es", status="PAUSED")
    await templates.sync()
    at_meta(shop, "order_confirmation", "es").status = "APPROVED"
    await deliver(shop, "message_template_status_update", event="REINSTATED")
    assert await templates.render_template(ORDER, "es")


async def test_a_flagged_template_still_leaves_and_its_quality_is_known(shop: World, templates: Templates) -> None:
    await templates.sync()
    await deliver(shop, "message_template_status_update", event="FLAGGED")
    await deliver(shop, "message_template_quality_update", previous_quality_score="GREEN", new_quality_score="RED")
    kept = next(stored for stored in await templates.named("order_confirmation") if stored.synced.language == "es")
    assert (kept.synced.quality, kept.why_not) == ("RED", None)


async def test_a_template_that_meta_made_marketing_stays_until_the_company_agrees(
    shop: World, templates: Templates
) -> None:
    only(shop, "es")
    await templates.sync()
    at_meta(shop, "order_confirmation", "es").category = "MARKETING"
    await deliver(shop, "template_category_update", new_category="UTILITY", correct_category="MARKETING")
    assert await templates.render_template(ORDER, "es")
    await deliver(shop, "template_category_update", previous_category="UTILITY", new_category="MARKETING")
    with pytest.raises(TemplateNotSendable, match=r"Meta made .* MARKETING, it was UTILITY"):
        await templates.render_template(ORDER, "es")
    await templates.sync()
    with pytest.raises(TemplateNotSendable, match="it was UTILITY"):
        await templates.render_template(ORDER, "es")
    await templates.sync(accept=True)
    assert (await templates.prepare(ORDER, "es")).category == "MARKETING"


async def test_the_category_of_our_file_is_what_the_company_counts_on(shop: World, templates: Templates) -> None:
    only(shop, "es_MX")
    at_meta(shop, "order_confirmation", "es_MX").category = "MARKETING"
    with pytest.raises(TemplateNotSendable, match="it was UTILITY"):
        await templates.render_template(ORDER, "es")


async def test_an_edited_template_is_read_anew_before_its_next_use(shop: World, templates: Templates) -> None:
    await templates.sync()
    at_meta(shop, "order_confirmation", "es").components = [
        {"type": "BODY", "text": "Hola {{name}}, gracias por todo."}
    ]
    await deliver(
        shop, "message_template_components_update", message_template_element="Hola {{name}}, gracias por todo."
    )
    with pytest.raises(TemplateNotSendable, match="unknown: order, total"):
        await templates.render_template(ORDER, "es")


async def test_a_translation_that_is_new_at_meta_is_used_from_its_webhook_on(shop: World, templates: Templates) -> None:
    only(shop, "en_US")
    await templates.sync()
    only(shop, "en_US", "es_MX")
    await deliver(shop, "message_template_status_update", language="es_MX", event="APPROVED")
    payload = await templates.render_template(ORDER, "es")
    assert payload["template"]["language"]["code"] == "es_MX"


@pytest.mark.parametrize(
    "value", [{}, {"event": "PAUSED"}, {"message_template_name": 5, "event": None}, {"new_category": []}]
)
@pytest.mark.parametrize(
    "field",
    [
        "message_template_status_update",
        "message_template_quality_update",
        "template_category_update",
        "message_template_components_update",
    ],
)
async def test_news_that_say_nothing_change_nothing(shop: World, field: str, value: dict[str, Any]) -> None:
    assert await shop.meta.deliver(value, field_name=field)
    assert await shop.redis.keys("recado:{templates}*") == []


async def test_a_refusal_at_meta_makes_recado_look_and_try_once_more(
    shop: World, templates: Templates, graph: Graph
) -> None:
    await templates.sync()
    seen: list[dict[str, Any]] = []

    async def post(prepared: Any) -> str:
        seen.append(prepared.payload)
        return await graph.send({"messaging_product": "whatsapp", "to": "+5215512345678"} | prepared.payload)

    only(shop, "es_MX")
    assert (await templates.send(ORDER, "es", post)).startswith("wamid.")
    assert [message["template"]["language"]["code"] for message in seen] == ["es", "es_MX"]
    shop.meta.will_refuse(132001, times=2)
    with pytest.raises(GraphError, match="132001"):
        await templates.send(ORDER, "es", post)
    at_meta(shop, "order_confirmation", "es_MX").status = "PAUSED"
    with pytest.raises(TemplateNotSendable, match="is PAUSED"):
        await templates.send(ORDER, "es", post)


LUIS = Person(phone="5215598765432", bsuid="MX.9901234567890123", name="Luis")
