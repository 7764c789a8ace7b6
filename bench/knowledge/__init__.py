"""Quality and speed of the search in the company documents."""
