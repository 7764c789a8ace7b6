"""Help texts in Spanish: a paragraph each, by the English one that stands at its command."""

from __future__ import annotations

PARAGRAPHS = {
    "A WhatsApp assistant that a company runs itself.": ("Un asistente de WhatsApp que la empresa opera por sí misma."),
    "Show the version and exit.": "Muestra la versión y termina.",
    "Show this message and exit.": "Muestra esta ayuda y termina.",
    "text or json": "text o json",
    # Processes
    "Run the web server: webhooks, console, health, metrics. Any number of them, on any number of machines.": (
        "Corre el servidor web: webhooks, consola, salud, métricas. Puede haber varios, en varias máquinas."
    ),
    "The address to listen on.": "La dirección en la que escucha.",
    "The port to listen on.": "El puerto en el que escucha.",
    "Run the queue workers. Any number of them, on any number of machines.": (
        "Corre los procesos que atienden las colas. Puede haber varios, en varias máquinas."
    ),
    "The queues to work on, with commas.": "Las colas que atiende, separadas por comas.",
    "Jobs of one queue at the same time.": "Trabajos de una cola al mismo tiempo.",
    "Run the whole service on this machine, with a phone in the browser; no account and no key needed.": (
        "Corre todo el servicio en esta máquina, con un teléfono en el navegador; sin cuentas ni claves."
    ),
    "Where it keeps its data.": "Dónde guarda sus datos.",
    "Delete what earlier runs left in that folder.": "Borra lo que corridas anteriores dejaron en esa carpeta.",
    # doctor
    "Look at every integration: configured? reachable? authorised? With the fix, one line each.": (
        "Revisa cada integración: ¿configurada?, ¿alcanzable?, ¿autorizada? Una línea cada una, con el remedio."
    ),
    "Show which role may use which tool instead.": "Muestra mejor qué rol puede usar qué herramienta.",
    "Show which role of the console may do what.": "Muestra qué puede hacer cada rol de la consola.",
    # prompts
    "Prompt files: check, render, release, roll back.": ("Archivos de prompts: revisar, ver, publicar, volver atrás."),
    "Look for mistakes in PROMPTS_DIR, one line each: file:line:column code message. Exit 1 when there is an error.": (
        "Busca errores en PROMPTS_DIR, una línea cada uno: archivo:línea:columna código mensaje. Termina con 1 si "
        "hay un error."
    ),
    "The messages that a model would get from the folder, their tokens and price, and the diff to the release.": (
        "Los mensajes que un modelo recibiría de la carpeta, sus tokens y su precio, y las diferencias con lo "
        "publicado."
    ),
    "It shows what was said in the conversation to whoever runs it, and logs none of it.": (
        "Muestra lo dicho en la conversación a quien lo corre, y no lo escribe en ningún registro."
    ),
    "A prompt's name: assistant is assistant.md.": "El nombre de un prompt: assistant es assistant.md.",
    "c_…, a phone or a BSUID; or a YAML or JSON file of values such as customer_name.": (
        "c_…, un teléfono o un BSUID; o un archivo YAML o JSON con valores como customer_name."
    ),
    "Make PROMPTS_DIR the current release for all processes at once, or a candidate. Exit 1 when it has an error.": (
        "Publica PROMPTS_DIR para todos los procesos a la vez, o como candidata. Termina con 1 si tiene un error."
    ),
    "Without --canary, PROMPTS_CANARY_PERCENT holds. With PROMPTS_GATE=offline, the offline evaluation has to pass.": (
        "Sin --canary vale PROMPTS_CANARY_PERCENT. Con PROMPTS_GATE=offline tiene que pasar la evaluación sin conexión."
    ),
    "Why, in a few words.": "Por qué, en pocas palabras.",
    "Who does it; left out, this machine's user.": "Quién lo hace; si falta, el usuario de esta máquina.",
    "To this share of the contacts first; 0: to all at once.": (
        "Primero para este porcentaje de los contactos; 0: para todos a la vez."
    ),
    "Go back to an earlier release, for all processes at once; a candidate is dropped in any case.": (
        "Vuelve a una versión anterior, para todos los procesos a la vez; una candidata se descarta en todo caso."
    ),
    "Left out, the candidate's end; else the release before this.": (
        "Si falta, termina la candidata; o si no, la versión anterior."
    ),
    "Changes of the release, the newest first; * is the current one, ~ a candidate and its share of contacts.": (
        "Cambios de versión, el más nuevo primero; * es la publicada, ~ una candidata y su parte de los contactos."
    ),
    "Differences of the folder from the current release; or of release A from it; or of B from A.": (
        "Diferencias de la carpeta con lo publicado; o de la versión A con lo publicado; o de B con A."
    ),
    "Left out, the folder.": "Si falta, la carpeta.",
    "Left out, A against the current release.": "Si falta, A contra la versión publicada.",
    "Perform the cases of PROMPTS_DIR/evals with the prompts of the folder. Exit 1 when one fails.": (
        "Corre los casos de PROMPTS_DIR/evals con los prompts de la carpeta. Termina con 1 si uno falla."
    ),
    "No tool reaches anybody: all that acts is an imitation. --record asks the real model where "
    "OPENROUTER_API_KEY is set; else the cases' examples and the sandbox's stand-in answer, and the recordings "
    "say so. A recorded case stays proven until its message, a line of the prompt that concerns it, a tool that "
    "it uses or a tool's result changes. Answers that were accepted in the console are cases too. Where nothing is "
    "synced, KNOWLEDGE_DIR is read.": (
        "Ninguna herramienta llega a nadie: todo lo que actúa es una imitación. --record pregunta al modelo real "
        "si hay OPENROUTER_API_KEY; si no, contestan los ejemplos de los casos y el doble del sandbox, y las "
        "grabaciones lo dicen. Un caso grabado queda probado hasta que cambie su mensaje, una línea del prompt que "
        "le toca, una herramienta que usa o el resultado de una herramienta. Las respuestas aceptadas en la consola "
        "también son casos. Si no hay nada sincronizado, se lee KNOWLEDGE_DIR."
    ),
    "Cases or tags; left out, all.": "Casos o etiquetas; si faltan, todos.",
    "offline (recorded answers) or live (a real model).": "offline (respuestas grabadas) o live (un modelo real).",
    "Documents; left out, those that the next release names.": (
        "Documentos; si falta, los que nombra la próxima publicación."
    ),
    "Live: how often each case is run.": "Live: cuántas veces se corre cada caso.",
    "Live: the same with this release.": "Live: lo mismo con esta versión.",
    "First record what isn't proven, or CASE.": "Primero graba lo que no está probado, o CASE.",
    "With --record: the proven cases too.": "Con --record: también los casos probados.",
    "Exit 1 for stale recordings too.": "Termina con 1 también por grabaciones viejas.",
    "Make a case of what happened in a conversation, without identities.": (
        "Hace un caso de lo que pasó en una conversación, sin identidades."
    ),
    "Read the file once before you keep it: names of other people are not recognised. Nothing is overwritten.": (
        "Lee el archivo antes de guardarlo: los nombres de otras personas no se reconocen. Nada se sobrescribe."
    ),
    "c_…, a phone or a BSUID.": "c_…, un teléfono o un BSUID.",
    "How many of the last turns.": "Cuántos de los últimos turnos.",
    "The case's name; left out, made of the day.": "El nombre del caso; si falta, se hace con la fecha.",
    "Where to; left out, NAME.yaml in PROMPTS_DIR/evals.": "Adónde; si falta, NAME.yaml en PROMPTS_DIR/evals.",
    "Make the candidate the current release, for all processes at once.": (
        "Publica la candidata, para todos los procesos a la vez."
    ),
    "The candidate and the current release side by side: what is judged, and how it stands. Exit 1 without one.": (
        "La candidata y la versión publicada lado a lado: qué se juzga y cómo va. Termina con 1 si no hay candidata."
    ),
    # templates
    "WhatsApp templates: list, sync, push, send.": "Plantillas de WhatsApp: listar, traer, entregar, mandar.",
    "Known templates with their state, and files that are not at Meta yet. Exit 1 when one can't be sent.": (
        "Las plantillas conocidas con su estado, y los archivos que aún no están en Meta. Termina con 1 si una no "
        "se puede mandar."
    ),
    "Fetch the templates from Meta. Exit 0 when they are fetched; `list` says by its exit whether all can be sent.": (
        "Trae las plantillas de Meta. Termina con 0 cuando están aquí; `list` dice con su salida si todas se "
        "pueden mandar."
    ),
    "Agree to the categories that Meta gave them.": "Acepta las categorías que Meta les dio.",
    "Hand the files of TEMPLATES_DIR to Meta's review: the new ones, and those that were changed.": (
        "Entrega los archivos de TEMPLATES_DIR a la revisión de Meta: los nuevos y los que cambiaron."
    ),
    "Send an approved template to a person.": "Manda una plantilla aprobada a una persona.",
    "The template's name.": "El nombre de la plantilla.",
    "A phone with its country's digits, or a BSUID.": "Un teléfono con las cifras de su país, o un BSUID.",
    "Such as es_MX; left out, the person's own.": "Como es_MX; si falta, el de la persona.",
    "name=value, as often as needed.": "nombre=valor, tantas veces como haga falta.",
    # queues
    "Job queues and messages that failed: show, retry, drop.": (
        "Colas de trabajos y mensajes que fallaron: ver, reintentar, olvidar."
    ),
    "Count the jobs of every queue, and list those that failed and the messages that were set aside, with reasons.": (
        "Cuenta los trabajos de cada cola, y lista los que fallaron y los mensajes apartados, con sus razones."
    ),
    "Try again: a failed job, or the messages of a conversation that were set aside. Exit 1 when there is none.": (
        "Reintenta un trabajo que falló, o los mensajes apartados de una conversación. Termina con 1 si no hay."
    ),
    "A failed job's id, or a conversation (c_…) with something set aside.": (
        "El id de un trabajo que falló, o una conversación (c_…) con algo apartado."
    ),
    "Everything that failed or is set aside.": "Todo lo que falló o está apartado.",
    "Forget: a failed job, or the messages of a conversation that were set aside. Exit 1 when there is none.": (
        "Olvida un trabajo que falló, o los mensajes apartados de una conversación. Termina con 1 si no hay."
    ),
    "Don't ask; without a terminal it is needed.": "No pregunta; sin terminal hace falta.",
    # contacts
    "What is stored about people: list, find, export, erase.": (
        "Lo guardado sobre personas: listar, buscar, exportar, borrar."
    ),
    "People that are known, the last writer first. It shows names and phones to whoever runs it.": (
        "Las personas conocidas, quien escribió al último primero. Muestra nombres y teléfonos a quien lo corre."
    ),
    "At most so many, the last writer first; 0: all.": (
        "Cuántas a lo más, quien escribió al último primero; 0: todas."
    ),
    "People by a part of their name, phone, e-mail address or identifier. Exit 1 when there is none.": (
        "Personas por una parte de su nombre, teléfono, correo o identificador. Termina con 1 si no hay."
    ),
    "A part of a name, a phone, an e-mail address, a BSUID or c_….": (
        "Una parte de un nombre, un teléfono, un correo, un BSUID o c_…."
    ),
    "Everything stored about one person, as JSON. Exit 1 when nothing is known of them, or files are missing.": (
        "Todo lo guardado sobre una persona, como JSON. Termina con 1 si no se sabe nada de ella o faltan archivos."
    ),
    "For the person themselves: --folder, with index.html in their language.": (
        "Para la persona misma: --folder, con index.html en su idioma."
    ),
    "A phone with its country's digits, a BSUID, or a conversation (c_…).": (
        "Un teléfono con las cifras de su país, un BSUID o una conversación (c_…)."
    ),
    "Write the person's files to this folder too.": "Escribe también los archivos de la persona en esta carpeta.",
    "Write a page to read, the files and the JSON to this new folder instead.": (
        "Escribe mejor una página para leer, los archivos y el JSON en esta carpeta nueva."
    ),
    "Erase everything stored about one person. Exit 1 when nothing is known of them, or files are missing.": (
        "Borra todo lo guardado sobre una persona. Termina con 1 si no se sabe nada de ella o faltan archivos."
    ),
    "Kept are digests that name nobody: of their messages for 30 days, because Meta may deliver them again; and "
    "of their phone and BSUID for good if they wanted no marketing. It shows what would go, and asks.": (
        "Quedan resúmenes que no nombran a nadie: de sus mensajes por 30 días, porque Meta puede entregarlos otra "
        "vez; y de su teléfono y BSUID para siempre si no quería publicidad. Muestra lo que se borraría, y "
        "pregunta."
    ),
    "Erase the rest although the files are gone for good.": "Borra lo demás aunque los archivos se hayan perdido.",
    # db
    "The database's schema: upgrade, check.": "El esquema de la base de datos: actualizar, revisar.",
    "Bring the schema up to date. Nothing happens where it is; processes that run may go on meanwhile.": (
        "Pone el esquema al día. Si ya lo está, no hace nada; los procesos que corren pueden seguir."
    ),
    "Say whether the schema is up to date. Exit 1 when it lacks steps, or the database does not answer.": (
        "Dice si el esquema está al día. Termina con 1 si le faltan pasos o la base de datos no contesta."
    ),
    # operators
    "People of the console: add, list, disable, reset.": (
        "Personas de la consola: agregar, listar, desactivar, reiniciar."
    ),
    "Add an operator, and print the link by which they set their password: good once, for a day.": (
        "Agrega a alguien, e imprime el enlace con el que pone su contraseña: sirve una vez, por un día."
    ),
    "Their name, as colleagues read it.": "Su nombre, como lo leen sus colegas.",
    "The e-mail address with which they log in.": "El correo con el que entra.",
    "agent, supervisor, admin; see `recado doctor --console`.": (
        "agent, supervisor, admin; mira `recado doctor --console`."
    ),
    "Operators with their roles.": "Las personas de la consola con sus roles.",
    "End an operator's sessions, and let them in no more. Exit 1 when nobody has this address.": (
        "Termina las sesiones de una persona y ya no la deja entrar. Termina con 1 si nadie tiene este correo."
    ),
    "Print a new link that sets an operator's password. Exit 1 when nobody who is enabled has this address.": (
        "Imprime un enlace nuevo para poner su contraseña. Termina con 1 si nadie activo tiene este correo."
    ),
    # knowledge
    "The company's own documents: check, sync, list, search.": (
        "Los documentos de la empresa: revisar, sincronizar, listar, buscar."
    ),
    "Read every file of KNOWLEDGE_DIR, and name those that can't be used, with page or row and reason.": (
        "Lee cada archivo de KNOWLEDGE_DIR, y nombra los que no se pueden usar, con página o fila y razón."
    ),
    "Nothing is stored. Exit 1 when a file has to be left out.": (
        "No guarda nada. Termina con 1 si un archivo se queda fuera."
    ),
    "Bring KNOWLEDGE_DIR into the database: only what is new or has changed is read. The next release names it.": (
        "Lleva KNOWLEDGE_DIR a la base de datos: sólo se lee lo nuevo y lo que cambió. La próxima publicación lo "
        "incluye."
    ),
    "Bad files are named and left out. Exit 1 when nothing could be used.": (
        "Los archivos malos se nombran y se quedan fuera. Termina con 1 si nada se pudo usar."
    ),
    "Documents of the newest set: for whom they are, how long they hold, and how many passages they have.": (
        "Los documentos de lo último sincronizado: para quién son, hasta cuándo valen y cuántos pasajes tienen."
    ),
    "Search the newest set as the assistant would: passages with source, place and score, the best first.": (
        "Busca en lo último sincronizado como lo haría el asistente: pasajes con fuente, lugar y puntaje, el mejor "
        "primero."
    ),
    "The assistant says that it doesn't know where no score reaches the threshold.": (
        "El asistente dice que no lo sabe si ningún puntaje llega al umbral."
    ),
    "As a customer would ask it": "Como la haría un cliente",
    "Search as a member of staff.": "Busca como personal de la empresa.",
    "Passages at most.": "Pasajes a lo más.",
    # keys
    "New keys, as variables ready to paste.": "Claves nuevas, como variables listas para pegar.",
    "A new pair for browser notifications (VAPID, RFC 8292), in the format of npm's web-push.": (
        "Un par nuevo para los avisos del navegador (VAPID, RFC 8292), en el formato de web-push de npm."
    ),
    # catalogue and products
    "Products to find and to sell: import, export.": "Productos para buscar y vender: importar, exportar.",
    "Take the products of a file, by their sku: new ones are added, known ones brought up to date.": (
        "Toma los productos de un archivo, por su clave: agrega los nuevos y pone al día los conocidos."
    ),
    "Bad rows are named by number and left out. Exit 1 when no product could be taken.": (
        "Las filas malas se nombran por su número y se quedan fuera. Termina con 1 si no se pudo tomar ningún producto."
    ),
    "CSV or XLSX; its first row names the columns, in Spanish or English": (
        "CSV o XLSX; su primera fila nombra las columnas, en español o inglés"
    ),
    "Remove the imported products that the file doesn't have any more.": (
        "Quita los productos importados que el archivo ya no tiene."
    ),
    "Write all products as CSV to standard output: imported ones and cards that staff confirmed.": (
        "Escribe todos los productos como CSV en la salida estándar: los importados y las fichas que el personal "
        "confirmó."
    ),
    "The confirmed catalogue: export.": "El catálogo confirmado: exportar.",
    "Write the confirmed catalogue to standard output. Exit 0 also when it is empty.": (
        "Escribe el catálogo confirmado en la salida estándar. Termina con 0 también cuando está vacío."
    ),
    "csv, json or xlsx (Excel)": "csv, json o xlsx (Excel)",
}
