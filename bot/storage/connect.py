"""The storage that the settings name."""

from __future__ import annotations

from bot.settings import StorageSettings
from bot.storage.disk import Disk
from bot.storage.door import Storage


def storage_of(settings: StorageSettings) -> Storage:
    return Disk(settings.dir)
