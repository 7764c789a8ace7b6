"""The composition root of the workers, the commands and the evaluation of prompts.

`recado serve` makes its few parts in bot.web.app. It imports neither prompts nor vendors, so that it starts in a
moment and stays small.
"""

from bot.services.services import LEASE_SECONDS, Services, open_services

__all__ = ["LEASE_SECONDS", "Services", "open_services"]
