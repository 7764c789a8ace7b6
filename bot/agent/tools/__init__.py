"""Tools of the model, one file for each tool or family."""
