"""Notifications in a person's browser: asked for in the chat, subscribed on a page, sent by the queue."""
