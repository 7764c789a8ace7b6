"""The tools that there are. A new one is a file in this folder and a name here."""

from __future__ import annotations

from typing import Any

from bot.tools.business import business_hours
from bot.tools.handoff import talk_to_a_person
from bot.tools.offers import ask_location, offer_choices, send_link
from bot.tools.templates import send_template
from bot.tools.tool import Tool

TOOLS: tuple[Tool[Any], ...] = (
    business_hours,
    talk_to_a_person,
    offer_choices,
    ask_location,
    send_link,
    send_template,
)
