"""The SQL database: history, people, knowledge and catalogue. SQLite for one machine, PostgreSQL for several."""
