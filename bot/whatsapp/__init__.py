"""The only room that knows Meta's JSON: signatures, payloads, rendering, errors."""
