"""Evaluations of the operators' prompts: cases, the closed world that they run in, what is expected, what came out."""
