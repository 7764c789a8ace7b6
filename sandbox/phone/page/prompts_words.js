// Texts about prompt files, in both languages; `code_…` names each mistake that `recado prompts check` finds.

export const PROMPTS = {
  es: {
    prompts_released: "Publicado:", prompts_rollback: "De vuelta en", prompts_canary: "Candidata, para una parte de los contactos:", prompts_promote: "La candidata es para todos:", prompts_drop: "Candidata retirada:", prompts_hint: "1 consejo", prompts_hints: "{count} consejos",
    prompts_wrong: "Lo que guardaste no se publicó.", prompts_one: "Hay 1 error;", prompts_many: "Hay {count} errores;", prompts_goes_on: "sigue", prompts_places: "Dónde y qué corregir",
    "code_no-files": "No hay archivos", "code_missing-file": "Falta un archivo", "code_unreadable-file": "No se puede leer", "code_not-utf8": "No está en UTF-8", "code_too-large": "Demasiado grande", "code_empty-prompt": "Está vacío",
    "code_unclosed-front-matter": "Falta el --- que cierra la cabecera", "code_broken-yaml": "La cabecera está mal escrita", "code_bad-field": "Valor que no sirve en la cabecera", "code_unknown-field": "Campo desconocido en la cabecera",
    "code_bad-business": "Datos del negocio mal escritos", "code_model-syntax": "Modelo mal escrito", "code_unknown-model": "Modelo desconocido", "code_unknown-tool": "Herramienta que no existe", "code_unknown-template": "Plantilla que no existe",
    "code_template-syntax": "Llaves mal escritas", "code_unclosed-block": "Bloque sin cerrar", "code_not-allowed": "No se permite aquí", "code_unknown-filter": "Filtro que no existe",
    "code_unknown-variable": "Dato que no existe", "code_missing-variable": "Falta un dato", "code_unused-variable": "Dato declarado que no se usa", "code_unknown-include": "Parcial que no existe", "code_circular-include": "Parciales que se llaman en círculo",
    "code_part-in-block": "system:/user: dentro de un bloque", "code_part-in-partial": "system:/user: dentro de un parcial", "code_can-not-render": "No se puede armar",
    "code_unknown-name": "Nombre que no existe", "code_secret-in-text": "Una clave secreta en el texto", "code_token-budget": "Demasiado largo", "code_whatsapp-format": "WhatsApp no dibuja este formato", "code_language-missing": "Falta un idioma",
    "code_case-failed": "Un caso de prueba falla", "code_case-stale": "Un caso sin grabar de nuevo", "code_no-cases": "No hay casos de prueba", "code_not-evaluated": "No se pudo probar",
  },
  en: {
    prompts_released: "Released:", prompts_rollback: "Back to", prompts_canary: "Candidate, for a share of the contacts:", prompts_promote: "The candidate is for everybody:", prompts_drop: "Candidate dropped:", prompts_hint: "1 hint", prompts_hints: "{count} hints",
    prompts_wrong: "What you saved was not released.", prompts_one: "There is 1 mistake;", prompts_many: "There are {count} mistakes;", prompts_goes_on: "still on", prompts_places: "Where, and what to do",
    "code_no-files": "No files", "code_missing-file": "A file is missing", "code_unreadable-file": "Can't be read", "code_not-utf8": "Not in UTF-8", "code_too-large": "Too large", "code_empty-prompt": "It is empty",
    "code_unclosed-front-matter": "The --- that ends the head is missing", "code_broken-yaml": "The head is written wrong", "code_bad-field": "A value in the head that can't be used", "code_unknown-field": "An unknown field in the head",
    "code_bad-business": "The business is written wrong", "code_model-syntax": "A model written wrong", "code_unknown-model": "Unknown model", "code_unknown-tool": "No such tool", "code_unknown-template": "No such template",
    "code_template-syntax": "Braces written wrong", "code_unclosed-block": "A block that is not closed", "code_not-allowed": "Not allowed here", "code_unknown-filter": "No such filter",
    "code_unknown-variable": "No such value", "code_missing-variable": "A value is missing", "code_unused-variable": "A value that is not used", "code_unknown-include": "No such partial", "code_circular-include": "Partials that include each other",
    "code_part-in-block": "system:/user: inside a block", "code_part-in-partial": "system:/user: inside a partial", "code_can-not-render": "Can't be put together",
    "code_unknown-name": "No such name", "code_secret-in-text": "A secret key in the text", "code_token-budget": "Too long", "code_whatsapp-format": "WhatsApp doesn't draw this", "code_language-missing": "A language is missing",
    "code_case-failed": "A test case fails", "code_case-stale": "A case to be recorded anew", "code_no-cases": "There are no test cases", "code_not-evaluated": "Could not be tried",
  },
};
