"""The one wording of pydantic's errors, for data that comes from outside."""

from __future__ import annotations

import re
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from bot.infra.queues import JobRejected

M = TypeVar("M", bound=BaseModel)


def problems(error: ValidationError, *, within: str = "", whole: str = "data") -> str:
    """The errors as one sentence a field, without values; `whole` stands for data that is no object.

    Because a field's own name comes from outside too, only a plain name is repeated.
    """
    sentences = []
    for problem in error.errors(include_input=False, include_context=False, include_url=False):
        field = ".".join(map(str, (*filter(None, (within,)), *problem["loc"]))) or whole
        field = field if re.fullmatch(r"[\w.-]{1,60}", field) else "a field"
        sentences.append(f"{field}: {problem['msg'].removeprefix('Value error, ')}")
    return "; ".join(sentences)


def checked_job(model: type[M], data: Any, *, within: str = "") -> M:
    """The data of a job as its model; raises JobRejected, which says what is wrong with the data."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        # Because pydantic's message repeats the fields' names from outside, we drop the cause.
        raise JobRejected(problems(error, within=within)) from None
