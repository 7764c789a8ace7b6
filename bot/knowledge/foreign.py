"""Recognises questions in neither Spanish nor English, whose words are in no document."""

from __future__ import annotations

import re

# Small words that are frequent in one language, so that a short question shows its language by them.
_OURS = {
    "es": "el la los las un una de del que qué y en con por para mi me se su es hay como cómo cuánto cuanto cuando "
    "dónde donde si no tienen puedo tengo quiero al lo le les ya muy más q pa cuantos cual cuál son yo te esto "
    "esta este",
    "en": "the a an i my you your is are do does did can could how what when where which who it in on of for to "
    "and if with there have has any much many long be it's i'd please will would this that me we",
}
_OTHERS = {
    "pt": "os um uma do da dos das em com por para meu minha é há quanto quando onde não vocês você posso tenho eu ao "
    "aos à qual num uma na no são tem têm foi isso aqui que de",
    "fr": "le la les un une des du de que et est en avec pour mon ma ce il je vous nous quel quelle combien comment où "
    "quand ne pas puis au aux ai sur sont ont êtes avez peut faut",
    "de": "der die das ein eine einen ich sie wir ist sind und in mit für wie was wann wo gibt es kann darf nicht am "
    "haben mein meinen zu auf wer den dem von im bei oder auch hat",
    "it": "il gli un una di del della che in con per mio mia si è c'è come quanto quando dove non posso ho avete chi "
    "quale alla al sono ha nel",
}
_OUR_WORDS, _OTHER_WORDS = ([frozenset(words.split()) for words in of.values()] for of in (_OURS, _OTHERS))
_SIGNS = re.compile("[ñ¿¡]")
_PIECE = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
_LATIN_ENDS = "\u024f"


def is_foreign(question: str) -> bool:
    """Whether a question is in another language than Spanish and English, or in other letters."""
    words = _PIECE.findall(question.lower())
    if words and all(letter > _LATIN_ENDS for word in words for letter in word):
        return True
    ours = max(sum(word in known for word in words) for known in _OUR_WORDS) + 2 * len(_SIGNS.findall(question))
    return max(sum(word in known for word in words) for known in _OTHER_WORDS) > ours
