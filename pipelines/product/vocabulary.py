"""Words for kinds of products in correct Spanish spelling, which distinguish a name from a brand."""

from __future__ import annotations

import unicodedata

# Kinds of things. Because lines in capitals on tags often drop accents, these spellings restore them.
_KINDS = """
aceite aceitunas achiote acondicionador agua aguacate ajo alcohol algodón alimento almendra almendras almidón
amaranto ambientador arroz atún avena azúcar bálsamo barra bebida bizcocho blanqueador bloqueador bolsa bolsas
botana brócoli cacahuate cacahuates cacao café cajeta caldo camarón canela caramelo caramelos carne cátsup
cepillo cera cerdo cereal cerillos cerveza chamoy champú chicharrón chicle chile chiles chocolate chorizo
clavo cloro coco colchón comida compota concentrado condimento congelado consomé crema cuaderno cuchara
desinfectante desodorante detergente duraznos dulce dulces edulcorante elote empanizador ensalada enjuague
escoba espagueti especias esponja fibra fideo filete foco frambuesa fresa frijol frijoles fruta galleta
galletas gaseosa gel gelatina girasol glicerina gomitas grano granola guantes guisantes habas hamburguesa
harina helado hielo hojuelas huevo huevos infusión insecticida jabón jalapeños jamón jarabe jerez jitomate
jugo ketchup lavanda lavatrastes leche lechuga lejía lenteja lentejas levadura licor limón limpiador
limpiavidrios loción macarrones maíz malta mango mantequilla manteca manzana manzanilla margarina mayonesa
mazapán melón mermelada mezcal miel mojarra mole molletes mostaza multiusos naranja néctar nopal nueces nuez
orégano palomitas pan pañal pañales pañuelos papa papas papel papilla pasta paté pescado pilas piloncillo
pimienta piña plátano plumas pollo polvo ponche puré queso quinoa refresco rollos romero ron sal salchicha
salchichas salsa salvado sardina sardinas semillas servilletas shampoo soda sopa soya suavizante suero té
televisor tequila toallas tocino tomate tortilla tortillas tostadas trapeador trigo tuna uva vainilla vela
verduras vinagre vino vitamina yerba yogur yogurt zanahoria zumo oil water rice sugar coffee tea milk bread
cheese butter beans soap shampoo detergent juice beer wine sauce salt flour honey chips cookies cereal pasta
yogurt cream chocolate candy paper towels napkins
"""
KINDS = frozenset(_KINDS.split())
# Qualities of things, which continue a name and occur in brands as well.
_QUALITIES = """
entera entero líquido líquida molido molida natural integral light descremada deslactosada orgánico orgánica
clásico clásica instantáneo instantánea refinada refinado premium tradicional ligero ligera mineral gasificada
tostado tostada concentrado picante fresco fresca higiénico facial corporal bucal líquidos multiuso eléctrica
limpieza sabor aroma extra virgen oliva vegetal grande chico mediano blanco blanca negro negra rojo roja verde
amarilla maíz tocador dental noche día bebé niños adulto perro gato
"""
QUALITIES = frozenset(_QUALITIES.split())
_BARE = {
    "".join(c for c in unicodedata.normalize("NFD", word) if unicodedata.category(c) != "Mn" or c == "\u0303"): word
    for word in KINDS | QUALITIES
}


def is_kind(word: str) -> bool:
    """Say whether a word, or its singular, names a kind of product."""
    bare = plain(word)
    return bare in _BARE or bare.removesuffix("s") in _BARE


def is_thing(word: str) -> bool:
    """Say whether a word names a thing, not a quality."""
    bare = plain(word)
    return any(_BARE.get(form) in KINDS for form in (bare, bare.removesuffix("s")))


def accented(word: str) -> str:
    """Restore the accents of a known word, and keep its case."""
    right = _BARE.get(plain(word))
    if right is None or right == word.lower():
        return word
    return right.upper() if word.isupper() else right.capitalize() if word[0].isupper() else right


def plain(word: str) -> str:
    """Return the word in lower case and without accents; ñ stays."""
    parts = unicodedata.normalize("NFD", word.lower())
    kept = "".join(part for part in parts if unicodedata.category(part) != "Mn" or part == "\u0303")
    return unicodedata.normalize("NFC", kept)
