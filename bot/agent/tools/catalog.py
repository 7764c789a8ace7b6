"""The table of all tools and the roles that may use them. A new tool is a file in this folder and a row here."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple

from bot.agent.tool import Tool, ToolContext
from bot.agent.tools.billing import (
    get_subscription,
    list_invoices,
    list_plans,
    open_portal,
    send_invoice,
    start_subscription,
)
from bot.agent.tools.business import business_hours
from bot.agent.tools.email import send_email
from bot.agent.tools.files import list_files, send_file
from bot.agent.tools.handoff import talk_to_a_person
from bot.agent.tools.interactive import ask_location, offer_choices, send_link
from bot.agent.tools.knowledge import search_knowledge
from bot.agent.tools.plan_changes import cancel_subscription, change_plan, resume_subscription
from bot.agent.tools.product_search import find_products
from bot.agent.tools.products import correct_product, export_products
from bot.agent.tools.push import notify_me
from bot.agent.tools.templates import send_template
from bot.agent.tools.verification import confirm_code, verify_email
from bot.conversations.contacts import Role


class Need(NamedTuple):
    """A condition under which a tool is offered; operators read its `name`."""

    name: str
    is_met: Callable[[ToolContext], bool]


BILLING = Need("billing", lambda context: context.services.billing is not None)
EMAIL = Need("mail", lambda context: context.services.email is not None)
FILES = Need("files", lambda context: context.services.files is not None)
KNOWLEDGE = Need("knowledge", lambda context: context.services.knowledge is not None and context.knowledge is not None)
PRODUCT_CARD = Need("product_card", lambda context: context.product_card is not None)
PRODUCTS = Need("products", lambda context: context.services.products is not None)
FINDER = Need("catalogue", lambda context: context.services.product_finder is not None)
PUSH = Need("push", lambda context: context.services.push is not None)
VERIFICATION = Need("verification", lambda context: context.services.verification is not None)


class ToolRow(NamedTuple):
    """A tool, and the roles that may use it; the role comes from the signed webhook alone."""

    tool: Tool[Any]
    customer: bool
    staff: bool
    needs: Need | None = None


_YES, _NO = True, False
TABLE = (
    #   tool              customer  staff
    ToolRow(business_hours, _YES, _YES),
    ToolRow(talk_to_a_person, _YES, _YES),
    ToolRow(offer_choices, _YES, _YES),
    ToolRow(ask_location, _YES, _YES),
    ToolRow(send_link, _YES, _YES),
    ToolRow(notify_me, _YES, _YES, needs=PUSH),
    ToolRow(send_template, _NO, _YES),
    ToolRow(list_files, _YES, _YES, needs=FILES),
    ToolRow(send_file, _YES, _YES, needs=FILES),
    ToolRow(send_email, _YES, _YES, needs=EMAIL),
    ToolRow(get_subscription, _YES, _YES, needs=BILLING),
    ToolRow(list_plans, _YES, _YES, needs=BILLING),
    ToolRow(list_invoices, _YES, _YES, needs=BILLING),
    ToolRow(send_invoice, _YES, _YES, needs=BILLING),
    ToolRow(start_subscription, _YES, _YES, needs=BILLING),
    ToolRow(change_plan, _YES, _YES, needs=BILLING),
    ToolRow(cancel_subscription, _YES, _YES, needs=BILLING),
    ToolRow(resume_subscription, _YES, _YES, needs=BILLING),
    ToolRow(open_portal, _YES, _YES, needs=BILLING),
    ToolRow(verify_email, _YES, _YES, needs=VERIFICATION),
    ToolRow(confirm_code, _YES, _YES, needs=VERIFICATION),
    ToolRow(find_products, _YES, _YES, needs=FINDER),
    ToolRow(search_knowledge, _YES, _YES, needs=KNOWLEDGE),
    ToolRow(correct_product, _NO, _YES, needs=PRODUCT_CARD),
    ToolRow(export_products, _NO, _YES, needs=PRODUCTS),
)


def tools_for(context: ToolContext) -> tuple[Tool[Any], ...]:
    """Tools that the model may call in this conversation."""
    return tuple(row.tool for row in TABLE if may_use(row, context.contact.role) and _is_offered(row, context))


def listed(output: str) -> str:
    """The table as text or JSON. Operators have no tools, because they work in the console and by commands."""
    rows = [
        {
            "tool": row.tool.name,
            "needs": row.needs and row.needs.name,
            "customer": row.customer,
            "staff": row.staff,
            "operator": False,
        }
        for row in TABLE
    ]
    if output == "json":
        return json.dumps(rows, indent=2)
    lines = [f"{'tool':<22}{'customer':<10}{'staff':<8}{'operator':<10}only with"]
    for row in rows:
        marks = ["✓" if row[role] else "–" for role in ("customer", "staff", "operator")]
        lines.append(f"{row['tool']:<22}{marks[0]:<10}{marks[1]:<8}{marks[2]:<10}{row['needs'] or ''}".rstrip())
    return "\n".join(
        [*lines, "", "The role is decided by STAFF_CONTACTS and the signed webhook; operators work in the console."]
    )


def may_use(row: ToolRow, role: Role) -> bool:
    return row.staff if role == "staff" else row.customer


def _is_offered(row: ToolRow, context: ToolContext) -> bool:
    return row.needs is None or row.needs.is_met(context)
