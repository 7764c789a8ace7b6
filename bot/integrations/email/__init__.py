"""E-mail: five templates in two languages, sent once by SendGrid, Amazon SES or SMTP."""
