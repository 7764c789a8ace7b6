"""Texts of the photo session in the language of its person, and titles of the card's fields."""

from __future__ import annotations

from bot.messages.language import Language

_PHRASES: dict[str, dict[Language, str]] = {
    "card": {"es": "*Ficha del producto*", "en": "*Product card*"},
    "known": {"es": "*Este código ya está en el catálogo*", "en": "*This code is in the catalogue already*"},
    # Fields
    "name": {"es": "Nombre", "en": "Name"},
    "brand": {"es": "Marca", "en": "Brand"},
    "size": {"es": "Contenido", "en": "Size"},
    "price": {"es": "Precio", "en": "Price"},
    "currency": {"es": "Moneda", "en": "Currency"},
    "barcode": {"es": "Código", "en": "Barcode"},
    "missing": {"es": "falta", "en": "missing"},
    "none": {"es": "no tiene", "en": "none"},
    "from_photo": {"es": "foto {photo}, {percent} %", "en": "photo {photo}, {percent}%"},
    "from_shop": {"es": "la de la tienda", "en": "the shop's"},
    "from_you": {"es": "dicho por ti", "en": "told by you"},
    "from_store": {"es": "del catálogo", "en": "from the catalogue"},
    "for_several": {"es": "por {pieces} piezas", "en": "for {pieces} pieces"},
    "per": {"es": "por {unit}", "en": "per {unit}"},
    # Details of labels and codes beside the fields
    "label_says": {"es": "La etiqueta dice: {facts}", "en": "The label says: {facts}"},
    "former_price": {"es": "precio anterior", "en": "former price"},
    "saving": {"es": "ahorro", "en": "saving"},
    "unit_price": {"es": "precio por unidad", "en": "unit price"},
    "offer": {"es": "oferta", "en": "offer"},
    "origin": {"es": "origen", "en": "origin"},
    "expires": {"es": "caduca", "en": "expires"},
    "best_before": {"es": "consumo preferente", "en": "best before"},
    "sell_by": {"es": "venta hasta", "en": "sell by"},
    "made": {"es": "fabricado", "en": "made"},
    "lot": {"es": "lote", "en": "lot"},
    "weight_kg": {"es": "peso en kg", "en": "weight in kg"},
    # Below the fields
    "check": {"es": "Revisa lo marcado con ⚠️.", "en": "Check what is marked ⚠️."},
    "how": {
        "es": "Para corregir, escríbelo: «el precio es 36». Otro producto: «otra».",
        "en": "To correct it, write: “the price is 36”. Another product: “next”.",
    },
    "which_holds": {"es": "¿Guardo lo nuevo?", "en": "Shall I save what is new?"},
    "nothing_new": {"es": "No cambia nada de lo guardado.", "en": "Nothing differs from what is stored."},
    "save": {"es": "Guardar", "en": "Save"},
    "leave": {"es": "Descartar", "en": "Discard"},
    "save_new": {"es": "Guardar lo nuevo", "en": "Save what is new"},
    "keep_old": {"es": "Dejar como estaba", "en": "Keep as it was"},
    # Questions
    "ask_several": {
        "es": "Las fotos no coinciden. ¿Cuál es el dato correcto de «{field}»?",
        "en": "The photos don't agree. Which is right for “{field}”?",
    },
    "ask_bars_and_digits": {
        "es": "Las barras dicen un número y los dígitos impresos otro. ¿Cuál es el código?",
        "en": "The bars say one number and the printed digits another. Which is the barcode?",
    },
    "ask_cents": {
        "es": "No se distingue si las últimas dos cifras son centavos. ¿Cuál es el precio?",
        "en": "I can't tell whether the last two digits are cents. Which is the price?",
    },
    "ask_for_several": {
        "es": "El precio es por {pieces} piezas juntas. ¿Qué precio guardo?",
        "en": "The price is for {pieces} pieces together. Which price shall I save?",
    },
    "ask_codes": {
        "es": "En la foto hay varios códigos. ¿Cuál es el del producto?",
        "en": "There are several codes in the photo. Which is the product's?",
    },
    "ask_one_photo": {
        "es": "En la foto hay más de uno. ¿Cuál es el dato correcto de «{field}»?",
        "en": "There is more than one in the photo. Which is right for “{field}”?",
    },
    "or_type_it": {"es": "Si es otro, escríbelo.", "en": "If it is another, type it."},
    "ask_receipt": {
        "es": "Esto parece un ticket o una factura. ¿Es un producto?",
        "en": "This looks like a receipt or an invoice. Is it a product?",
    },
    "ask_poster": {
        "es": "Esto parece un cartel con un código QR. ¿Es un producto?",
        "en": "This looks like a poster with a QR code. Is it a product?",
    },
    "ask_page": {
        "es": "Esto parece una página de texto. ¿Es un producto?",
        "en": "This looks like a page of text. Is it a product?",
    },
    "is_product": {"es": "Sí, es un producto", "en": "Yes, a product"},
    "no_product": {"es": "No", "en": "No"},
    "was_no_product": {
        "es": "De acuerdo, no hago ficha. ¿Qué necesitas con la foto?",
        "en": "All right, no card. What do you need with the photo?",
    },
    "receipt_left_out": {
        "es": "Foto {number}: parece un ticket, así que no la agregué a la ficha.",
        "en": "Photo {number}: it looks like a receipt, so I didn't add it to the card.",
    },
    "poster_left_out": {
        "es": "Foto {number}: parece un cartel con un código QR. ¿Es un producto? No la agregué, y la ficha abierta "
        "queda igual. Si es de este producto, mándala otra vez con su nombre al pie.",
        "en": "Photo {number}: it looks like a poster with a QR code. Is it a product? I didn't add it, and the open "
        "card is unchanged. If it is of this product, send it again with its name as the caption.",
    },
    "page_left_out": {
        "es": "Foto {number}: parece una página de texto. ¿Es un producto? No la agregué, y la ficha abierta queda "
        "igual. Si es de este producto, mándala otra vez con su nombre al pie.",
        "en": "Photo {number}: it looks like a page of text. Is it a product? I didn't add it, and the open card is "
        "unchanged. If it is of this product, send it again with its name as the caption.",
    },
    "save_without": {"es": "Guardar así", "en": "Save as it is"},
    "incomplete": {
        "es": "A la ficha le falta: {fields}. Escríbelo, o guárdala así.",
        "en": "The card lacks: {fields}. Type it, or save the card as it is.",
    },
    "other": {"es": "Otro", "en": "Another"},
    "choose": {"es": "Elegir", "en": "Choose"},
    "type_it": {"es": "¿Cuál es: {field}? Escríbelo, por favor.", "en": "What is it: {field}? Please type it."},
    # Replies
    "tap_to_save": {
        "es": "Para guardar, toca el botón de la ficha.",
        "en": "To save it, tap the button on the card.",
    },
    "changed_since": {
        "es": "Esa ficha ya cambió. Esta es la actual:",
        "en": "That card has changed since. This is the current one:",
    },
    "stored_meanwhile": {
        "es": "Mientras tanto alguien guardó este código. Revisa la diferencia:",
        "en": "Somebody has saved this code in the meantime. Please look at the difference:",
    },
    "saved": {
        "es": "✅ Guardado en el catálogo: {product}\nManda la foto del siguiente producto.",
        "en": "✅ Saved to the catalogue: {product}\nSend a photo of the next product.",
    },
    "left": {"es": "Descartado, no guardé nada.", "en": "Discarded, nothing was saved."},
    "kept_old": {"es": "De acuerdo, el catálogo queda como estaba.", "en": "All right, the catalogue stays as it was."},
    "not_yours": {
        "es": "Solo el personal puede guardar productos.",
        "en": "Only staff can save products.",
    },
    "gone": {
        "es": "Esa ficha ya se cerró. Manda las fotos otra vez si la necesitas.",
        "en": "That card is closed. Send the photos again if you need it.",
    },
    "expired": {
        "es": "La ficha anterior venció sin guardarse.",
        "en": "The earlier card expired without being saved.",
    },
    "send_again": {"es": "Manda las fotos otra vez.", "en": "Please send the photos again."},
    "not_stored": {
        "es": "No pude guardar las fotos por un problema nuestro. Toca otra vez el botón en unos minutos.",
        "en": "I couldn't store the photos because of a problem on our side. Please tap the button again in a few "
        "minutes.",
    },
    "empty": {
        "es": "Todavía no hay ningún dato que guardar. Manda otra foto o escribe el nombre.",
        "en": "There is nothing to save yet. Send another photo or write the name.",
    },
    "next": {
        "es": "Manda las fotos del siguiente producto.",
        "en": "Send the photos of the next product.",
    },
    "next_unsaved": {
        "es": "Manda las fotos del siguiente producto. La ficha anterior no está guardada: toca «{save}» en ella si "
        "la quieres.",
        "en": "Send the photos of the next product. The earlier card isn't saved: tap “{save}” on it if you want it.",
    },
    "other_code": {
        "es": "Es otro código, así que empecé otra ficha. La anterior no está guardada: toca «{save}» en ella si la "
        "quieres.",
        "en": "It is another code, so I started another card. The earlier one isn't saved: tap “{save}” on it if you "
        "want it.",
    },
    "other_card": {
        "es": "La ficha anterior no está guardada: toca «{save}» en ella si la quieres.",
        "en": "The earlier card isn't saved: tap “{save}” on it if you want it.",
    },
    "full": {
        "es": "Ya son {most} fotos de este producto; no agregué más.",
        "en": "There are {most} photos of this product already; I added no more.",
    },
    "bad_code": {
        "es": "El código {value} no tiene un dígito de control válido. Revísalo y escríbelo otra vez.",
        "en": "The check digit of {value} is not right. Please check it and type it again.",
    },
    "file": {"es": "Productos en el catálogo: {count}", "en": "Products in the catalogue: {count}"},
}


def phrase(name: str, language: Language, **values: str) -> str:
    """Our sentence with its values filled in."""
    return _PHRASES[name][language].format(**values)


def has_phrase(name: str) -> bool:
    return name in _PHRASES


def label(field: str, language: Language) -> str:
    """Title of a field; a field without a text goes by its name."""
    return phrase(field, language) if has_phrase(field) else field
