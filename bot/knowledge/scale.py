"""The scale of a model's likenesses (cosines): unrelated texts have 0.2 by one model, and 0.75 by another.

The mean likenesses of unrelated texts and of questions with their answers are measured. A linear function,
`factor * likeness + shift`, maps them to the means of the embedded model, to which all weights belong.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.knowledge.embeddings import EmbeddedModel, Embedder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Scores = NDArray[np.float32]
    Places = NDArray[np.int64]

# Questions and the texts that answer them, from shops of all kinds; every other pair has nothing in common.
_PAIRS = (
    ("¿Cuánto tiempo tengo para devolver algo?", "Aceptamos devoluciones durante 15 días con el recibo."),
    ("a q hora abren", "Horario: de lunes a viernes de 10:00 a 18:00."),
    ("do you deliver to my house", "We deliver to your home for 5 dollars within the city."),
    ("¿Puedo pagar con tarjeta?", "Se aceptan tarjetas de crédito y débito de cualquier banco."),
    ("where are you located", "Our office is on the second floor of 20 Main Street."),
    ("necesito factura", "Para facturar, manda tu RFC y el número de tu compra."),
    ("¿Hay que hacer cita con el doctor?", "Las consultas son con cita, que se pide por teléfono."),
    ("can I bring my dog", "Pets are welcome if they are on a leash."),
    ("¿Tienen platillos sin carne?", "El menú vegetariano tiene ensaladas, sopas y pastas."),
    ("cuánto dura la batería", "La batería rinde ocho horas de uso continuo."),
    ("is there a discount for students", "Students pay half with their card."),
    ("¿Cómo cambio mi contraseña?", "En tu perfil elige Seguridad y escribe una clave nueva."),
    ("¿Qué lleva el curso de inglés?", "Las clases de idiomas incluyen libro, examen y constancia."),
    ("my order came broken", "If an item arrives damaged, send us a photo and we replace it."),
    ("se puede cancelar el viaje", "Una reservación se cancela sin costo hasta 48 horas antes."),
    ("¿Lavan edredones?", "La tintorería limpia cobijas y colchas en tres días."),
)
# Mean likenesses by the embedded model: of unrelated texts, and of these questions with their answers.
_UNRELATED, _RELATED = 0.024, 0.323
_LEAST_APART = 0.02
_SHORTEST = 0.05


@dataclass(frozen=True, slots=True)
class LikenessScale:
    """Turns a model's likenesses into those that the embedded model would give."""

    factor: float = 1.0
    shift: float = 0.0

    def applied(self, likeness: Scores) -> Scores:
        if self == EMBEDDED:
            return likeness
        return likeness * likeness.dtype.type(self.factor) + likeness.dtype.type(self.shift)

    def of_means(self, lengths: Scores) -> Callable[[Scores, Places], Scores]:
        """A function that scales likenesses to means of unit vectors; `lengths` are those of the means.

        The squared length of a mean is the mean likeness of its vectors to each other. A likeness to the normalized
        mean, times the length, is the mean likeness to its vectors. Both means are scaled, then divided again.
        """
        import numpy as np  # noqa: PLC0415 - for those who search alone

        if self == EMBEDDED:
            return lambda likeness, _: likeness
        scaled: Scores = np.sqrt(np.maximum(self.applied(lengths * lengths), np.float32(_SHORTEST))).astype(np.float32)
        return lambda likeness, places: self.applied(likeness * lengths[places]) / scaled[places]


EMBEDDED = LikenessScale()


async def scale_of(embedder: Embedder) -> LikenessScale:
    """Measure the scale of a model. Raises EmbeddingsFailed."""
    if embedder.name == EmbeddedModel.name:
        return EMBEDDED
    unrelated, related = await measured(embedder)
    if related - unrelated < _LEAST_APART:
        # The model can't tell the pairs from the others, so words decide alone.
        return LikenessScale(0.0, _UNRELATED)
    factor = (_RELATED - _UNRELATED) / (related - unrelated)
    return LikenessScale(factor, _UNRELATED - unrelated * factor)


async def measured(embedder: Embedder) -> tuple[float, float]:
    """Mean likeness of unrelated texts, and of questions with their answers."""
    import numpy as np  # noqa: PLC0415 - for those who search alone

    vectors = await embedder.embed([text for pair in _PAIRS for text in pair])
    likeness = vectors[::2] @ vectors[1::2].T
    apart = likeness[~np.eye(len(_PAIRS), dtype=bool)]
    return float(apart.mean()), float(np.diagonal(likeness).mean())
