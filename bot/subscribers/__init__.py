"""What happens here is told to the company's other systems, signed and until they have taken it."""

from bot.conversations.events import Ours, Subscribers, event_id, person

__all__ = ["Ours", "Subscribers", "event_id", "person"]
