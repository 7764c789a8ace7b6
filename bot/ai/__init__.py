"""The only room that knows model vendors."""
