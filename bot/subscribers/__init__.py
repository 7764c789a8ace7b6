"""What happens here is told to the company's other systems, signed and until they have taken it."""

from bot.subscribers.telling import Subscribers, event_id, person

__all__ = ["Subscribers", "event_id", "person"]
