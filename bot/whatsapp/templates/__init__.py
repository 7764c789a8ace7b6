"""The company's WhatsApp templates: their files, their state at Meta, and what may be sent of them."""
