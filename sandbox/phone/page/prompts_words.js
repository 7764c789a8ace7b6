// Texts about prompt files, in both languages.

export const PROMPTS = {
  es: {
    prompts_released: "Publicado:", prompts_rollback: "De vuelta en", prompts_canary: "Candidata, para una parte de los contactos:", prompts_promote: "La candidata es para todos:", prompts_drop: "Candidata retirada:", prompts_hint: "1 consejo", prompts_hints: "{count} consejos",
    prompts_wrong: "Lo que guardaste no se publicó.", prompts_one: "Hay 1 error;", prompts_many: "Hay {count} errores;", prompts_goes_on: "sigue", prompts_places: "Dónde y qué corregir",
  },
  en: {
    prompts_released: "Released:", prompts_rollback: "Back to", prompts_canary: "Candidate, for a share of the contacts:", prompts_promote: "The candidate is for everybody:", prompts_drop: "Candidate dropped:", prompts_hint: "1 hint", prompts_hints: "{count} hints",
    prompts_wrong: "What you saved was not released.", prompts_one: "There is 1 mistake;", prompts_many: "There are {count} mistakes;", prompts_goes_on: "still on", prompts_places: "Where, and what to do",
  },
};
