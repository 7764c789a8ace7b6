"""The service: from Meta's call to our reply."""
