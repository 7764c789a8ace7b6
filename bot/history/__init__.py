"""The history: contacts, conversations, messages and turns in the SQL database, a projection of what Redis did."""
