"""Refusals of the console's API: a status, a code for programs, and a sentence in the person's language."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from bot.messages.language import Language, language_from
from bot.web.console.reasons import Reason

_TEXTS: dict[str, tuple[str, str]] = {
    "login_needed": ("Inicia sesión para continuar.", "Log in to go on."),
    "session_over": ("Tu sesión terminó; inicia sesión de nuevo.", "Your session is over; log in again."),
    "login_wrong": ("El correo o la contraseña no son correctos.", "The e-mail address or the password is wrong."),
    "company_login_off": (
        "Aquí no se entra con la cuenta de la empresa.",
        "Nobody logs in here with the company's account.",
    ),
    "company_login_away": (
        "La cuenta de la empresa no responde; intenta de nuevo en un momento o usa tu contraseña.",
        "The company's login does not answer; try again in a moment, or use your password.",
    ),
    "company_login_unfinished": (
        "El inicio de sesión no se completó o ya se usó; empieza de nuevo.",
        "The login was not finished or was used already; begin again.",
    ),
    "company_login_unverified": (
        "Tu cuenta no tiene un correo confirmado; pide ayuda a quien administra las cuentas.",
        "Your account has no confirmed e-mail address; ask whoever manages the accounts.",
    ),
    "company_login_unknown": (
        "Tu cuenta no tiene acceso a esta consola; pídelo a quien la administra.",
        "Your account has no access to this console; ask its administrator.",
    ),
    "company_login_elsewhere": (
        "Abre la consola en {address} para entrar con la cuenta de la empresa.",
        "Open the console at {address} to log in with the company's account.",
    ),
    "too_many_tries": (
        "Demasiados intentos; espera {seconds} segundos.",
        "Too many tries; wait {seconds} seconds.",
    ),
    "token_wrong": ("El token de la consola no es correcto.", "The console's token is wrong."),
    "link_over": (
        "Este enlace ya se usó o venció; pide otro a quien administra la consola.",
        "This link was used or has expired; ask the console's administrator for another.",
    ),
    "password_short": ("La contraseña necesita al menos 10 signos.", "The password needs at least 10 signs."),
    "password_long": ("La contraseña puede tener hasta 200 signos.", "The password may have up to 200 signs."),
    "password_common": (
        "Esa contraseña es fácil de adivinar; elige otra.",
        "That password is easily guessed; choose another.",
    ),
    "password_personal": (
        "La contraseña contiene tu nombre o tu correo; elige otra.",
        "The password contains your name or your address; choose another.",
    ),
    "cross_site": (
        "La petición no viene de la consola; recarga la página.",
        "The request does not come from the console; reload the page.",
    ),
    "forbidden": ("Tu rol no permite esta acción.", "Your role does not allow this."),
    "not_found": ("Eso no existe.", "There is no such thing."),
    "conversation_unknown": ("Esa conversación no existe.", "There is no such conversation."),
    "body_unreadable": ("El cuerpo no es JSON válido.", "The body is no valid JSON."),
    "body_too_large": ("El cuerpo es demasiado grande.", "The body is too large."),
    "body_slow": ("El cuerpo llegó demasiado lento.", "The body came too slowly."),
    # No field by itself: no object, or two fields that exclude each other.
    "body_wrong": ("La petición no es válida: {why}.", "The request is wrong: {why}."),
    "field_wrong": ("El campo {field} no es válido: {why}.", "The field {field} is wrong: {why}."),
    "taken": ("{who} ya tiene esta conversación.", "{who} has this conversation already."),
    "not_yours": (
        "Toma la conversación antes de escribir.",
        "Take the conversation before you write.",
    ),
    "someone_elses": (
        "{who} tiene esta conversación; solo un supervisor puede hacerlo.",
        "{who} has this conversation; only a supervisor may do this.",
    ),
    "window_closed": (
        "Pasaron más de 24 horas desde el último mensaje del cliente; solo se puede enviar una plantilla.",
        "The customer last wrote over 24 hours ago; only a template may be sent.",
    ),
    "opted_out": (
        "El cliente no quiere mensajes de este tipo.",
        "The customer does not want messages of this kind.",
    ),
    "key_needed": (
        "Falta la cabecera Idempotency-Key (1 a 200 signos).",
        "The header Idempotency-Key is missing (1 to 200 signs).",
    ),
    "key_used": (
        "Esa Idempotency-Key ya se usó con otro contenido.",
        "That Idempotency-Key was used with other content already.",
    ),
    "template_not_sendable": (
        "La plantilla no se puede enviar: {why}.",
        "The template can't be sent: {why}.",
    ),
    "file_not_sendable": ("El archivo no se puede enviar: {why}.", "The file can't be sent: {why}."),
    "operator_unknown": ("Nadie en la consola tiene ese correo.", "Nobody in the console has this address."),
    "shortcut_taken": ("Otra respuesta ya usa ese atajo.", "Another reply has this shortcut already."),
    "too_many_replies": ("Ya hay mil respuestas guardadas.", "There are a thousand replies already."),
    "turn_unanswered": (
        "Este turno no tiene una respuesta que probar.",
        "This turn has no answer to test.",
    ),
    "turn_without_messages": (
        "De este turno no se guarda lo que hace falta para repetirlo.",
        "What a replay of this turn needs is not kept.",
    ),
    "release_unknown": ("Esa versión de los prompts ya no se guarda.", "This release of the prompts is not kept."),
    "release_unusable": (
        "Esa versión de los prompts no se puede usar con este turno.",
        "This release of the prompts can't be used with this turn.",
    ),
    "model_missing": (
        "Aquí no hay modelo configurado (OPENROUTER_API_KEY).",
        "No model is set up (OPENROUTER_API_KEY).",
    ),
    "model_away": (
        "Ningún modelo contestó; intenta de nuevo en un momento.",
        "No model answered; try again in a moment.",
    ),
    "budget_spent": ("Se gastó el presupuesto de hoy.", "Today's budget is spent."),
    "replays_full": (
        "Ya se repiten otros turnos; intenta de nuevo en un momento.",
        "Other turns are being replayed; try again in a moment.",
    ),
    "acted_already": (
        "Una herramienta ya había actuado; escribe al cliente y descarta el mensaje.",
        "A tool had acted already; write to the customer, then drop the message.",
    ),
    "thread_of_another": (
        "Otra aplicación tiene la conversación en Meta: espera a que la pase (error {why}).",
        "Another app owns the thread at Meta: wait until it passes it on (error {why}).",
    ),
    "conversation_busy": (
        "La conversación está ocupada; intenta de nuevo en un momento.",
        "The conversation is busy; try again in a moment.",
    ),
    "files_missing": (
        "Faltan archivos de esta persona en este servidor; usa `recado contacts erase --files-lost`.",
        "Files of this person are missing on this server; use `recado contacts erase --files-lost`.",
    ),
    "uploads_full": (
        "Ya se suben otros archivos; intenta de nuevo en un momento.",
        "Other files are being uploaded; try again in a moment.",
    ),
    "streams_full": ("Hay demasiadas páginas abiertas.", "Too many pages are open."),
    "unavailable": (
        "El servicio no está listo; intenta de nuevo en un momento.",
        "The service is not ready; try again in a moment.",
    ),
    "failed": (
        "Algo salió mal de nuestro lado; quien administra la consola lo ve en el registro.",
        "Something went wrong on our side; the console's administrator finds it in the log.",
    ),
    "database_outdated": (
        "La base de datos no está al día; ejecuta `recado db upgrade`.",
        "The database's schema is not up to date; run `recado db upgrade`.",
    ),
}


class ApiProblem(Exception):
    """A refusal; `facts` fill its sentence, and a fact `field` is told apart too."""

    def __init__(self, status: int, code: str, *, headers: dict[str, str] | None = None, **facts: Any) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.headers = headers or {}
        self.facts = facts

    def response(self, language: Language) -> web.Response:
        spanish, english = _TEXTS["body_wrong" if self.facts.get("field") == "" else self.code]
        facts = {
            name: value.said_in(language) if isinstance(value, Reason) else value for name, value in self.facts.items()
        }
        text = (spanish if language == "es" else english).format(**facts)
        error = {"code": self.code, "message": text}
        if "field" in self.facts:
            error["field"] = self.facts["field"]
        return web.json_response({"error": error}, status=self.status, headers=self.headers)


def preferred_language(request: web.Request, default: Language) -> Language:
    """The first of our languages that the browser asks for."""
    for piece in request.headers.get("Accept-Language", "")[:200].split(","):
        if language := language_from(piece.strip().partition(";")[0], None):
            return language
    return default
