"""E-mail: five letters in two languages, by SendGrid, Amazon SES or SMTP behind one door, each once."""
