"""Products to find and to sell: imported files and confirmed cards in the SQL database, and a search over them."""
