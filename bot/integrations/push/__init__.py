"""Notifications in a person's browser: requested in the chat, subscribed on a page, sent by the queue."""
