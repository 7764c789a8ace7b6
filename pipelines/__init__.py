"""Media bytes in, facts out: no Redis, no WhatsApp, no globals; usable as a library."""
