"""Evaluation of the operators' prompts: cases, the closed environment that they run in, expectations, reports."""
