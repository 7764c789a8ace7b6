"""Signatures, payloads, rendering and errors of the WhatsApp Cloud API; no other package reads Meta's JSON."""
