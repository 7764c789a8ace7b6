"""Parts that the customer taps instead of typing: choices, a location request, a link."""

from __future__ import annotations

from pydantic import Field, HttpUrl

from bot.agent.tool import Arguments, ToolContext, ToolError, tool
from bot.messages import links
from bot.messages.language import Language
from bot.messages.outbound import AskLocation, Buttons, Choice, LinkButton, Menu
from bot.whatsapp.markdown import whatsapp

_MOST_BUTTONS = 3
_BUTTON_TITLE = 20
_SHOWN = (
    "Shown with your answer, with the text you gave. Now answer with what is not said in it yet; "
    "if there is nothing to add, answer only: -"
)
_OPENERS: dict[Language, str] = {"es": "Ver opciones", "en": "See options"}


class Option(Arguments):
    title: str = Field(description="What is tapped, at most 20 characters", min_length=1, max_length=200)
    description: str | None = Field(None, description="One line more about it, at most 72 characters", max_length=500)


class Choices(Arguments):
    text: str = Field(description="The question or sentence above the choices", min_length=1, max_length=4000)
    choices: list[Option] = Field(description="What can be chosen, 2 to 10", min_length=2, max_length=10)


def _vouched(text: str, context: ToolContext) -> str:
    """The text as WhatsApp shows it. Raises ToolError if it names a page that isn't the business's own."""
    drawn = whatsapp(text)
    if not drawn:
        raise ToolError("nothing was shown: the text holds no words")
    if links.without_unverified(drawn, context.business.facts, "") != drawn:
        raise ToolError("nothing was shown: the text names a web page that isn't in the business's facts; leave it out")
    return drawn


@tool(Choices)
async def offer_choices(arguments: Choices, context: ToolContext) -> str:
    """Let the customer tap one of 2 to 10 choices instead of typing: buttons for few short ones, else a list. Call it
    when you ask a question with known answers. What is tapped comes back as the customer's next message.
    """
    for option in arguments.choices:
        # Titles too, because those that are too long for a button move into the message's text.
        _vouched(f"{option.title}\n{option.description or ''}", context)
    choices = tuple(
        Choice(id=f"{context.effect}.{number}", title=option.title, description=option.description)
        for number, option in enumerate(arguments.choices, 1)
    )
    few = len(choices) <= _MOST_BUTTONS
    if few and all(len(choice.title) <= _BUTTON_TITLE and not choice.description for choice in choices):
        context.parts.append(Buttons(body=_vouched(arguments.text, context), choices=choices))
    else:
        opener = _OPENERS[context.language]
        context.parts.append(Menu(body=_vouched(arguments.text, context), opener=opener, choices=choices))
    return _SHOWN


class LocationRequest(Arguments):
    text: str = Field(description="Why the location is needed, in the customer's language", min_length=1)


@tool(LocationRequest)
async def ask_location(arguments: LocationRequest, context: ToolContext) -> str:
    """Show a button with which the customer sends where they are. Call it when you need the place, such as for a
    delivery or the nearest shop.
    """
    context.parts.append(AskLocation(body=_vouched(arguments.text, context)))
    return _SHOWN


class Link(Arguments):
    text: str = Field(description="What is behind the link, in a sentence", min_length=1)
    label: str = Field(description="The words on the button, at most 20 characters", min_length=1, max_length=60)
    url: HttpUrl = Field(description="The address, from the business's facts; never made up", max_length=2000)


@tool(Link)
async def send_link(arguments: Link, context: ToolContext) -> str:
    """Show a button that opens a web page. Only for an address that the business's facts give, or a page below it."""
    # A text or a photo may have injected the link, so only pages of the business are allowed.
    if not context.business.gives(str(arguments.url)):
        raise ToolError("nothing was shown: this address isn't in the business's facts. Say it is not known")
    _vouched(arguments.label, context)
    context.parts.append(
        LinkButton(body=_vouched(arguments.text, context), label=arguments.label, url=str(arguments.url))
    )
    return _SHOWN
