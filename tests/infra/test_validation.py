"""Errors of data from outside name each field, without values."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError, field_validator

from bot.infra.queues import JobRejected
from bot.infra.validation import checked_job, problems
from tests.rows import each


class Greeting(BaseModel, extra="forbid"):
    to: str
    copies: list[int] = []

    @field_validator("to")
    @classmethod
    def _known(cls, to: str) -> str:
        if to == "nobody":
            raise ValueError("nobody is there")
        return to


@each(
    ("data", "said"),
    [
        ({}, "to: Field required"),
        ({"to": 5}, "to: Input should be a valid string"),
        ({"to": "nobody"}, "to: nobody is there"),
        ({"to": "Ana", "copies": [{}]}, "copies.0: Input should be a valid integer"),
        ({"to": "Ana", "a secret": 1}, "a field: Extra inputs are not permitted"),
        ({"copies": None}, "to: Field required; copies: Input should be a valid list"),
        ("secret", "data: Input should be a valid dictionary or instance of Greeting"),
    ],
)  # fmt: skip
def test_each_problem_names_its_field_and_no_value(data: Any, said: str) -> None:
    with pytest.raises(JobRejected) as rejected:
        checked_job(Greeting, data)
    assert str(rejected.value) == said
    assert rejected.value.__cause__ is None


def test_data_that_fits_comes_back_as_its_model() -> None:
    assert checked_job(Greeting, {"to": "Ana"}) == Greeting(to="Ana")


def test_a_field_is_named_by_the_place_that_holds_it() -> None:
    with pytest.raises(JobRejected, match=r"^data\.to: Field required$"):
        checked_job(Greeting, {}, within="data")
    with pytest.raises(ValidationError) as invalid:
        Greeting.model_validate([])
    assert problems(invalid.value, whole="arguments").startswith("arguments: ")
