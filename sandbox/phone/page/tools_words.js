// Names of the assistant's tools and of the marks in its replies, in both languages.

export const TOOLS = {
  es: {
    tool_name_business_hours: "Ver horario y datos del negocio", tool_name_talk_to_a_person: "Llamar a una persona del equipo", tool_name_offer_choices: "Ofrecer opciones para tocar", tool_name_ask_location: "Pedir la ubicación", tool_name_send_link: "Mostrar un enlace", tool_name_notify_me: "Ofrecer avisos en el navegador",
    tool_name_send_template: "Mandar una plantilla", tool_name_list_files: "Listar sus archivos", tool_name_send_file: "Mandar un archivo suyo", tool_name_send_email: "Mandar un correo", tool_name_get_subscription: "Ver su suscripción", tool_name_list_plans: "Ver los planes", tool_name_list_invoices: "Ver sus facturas", tool_name_send_invoice: "Mandar una factura",
    tool_name_start_subscription: "Empezar una suscripción", tool_name_change_plan: "Mostrar el cambio de plan", tool_name_cancel_subscription: "Mostrar la cancelación", tool_name_resume_subscription: "Mostrar la reanudación", tool_name_open_portal: "Abrir su portal", tool_name_verify_email: "Mandar un código por correo", tool_name_confirm_code: "Comprobar el código",
    tool_name_find_products: "Buscar productos", tool_name_search_knowledge: "Buscar en los documentos", tool_name_correct_product: "Corregir la ficha abierta", tool_name_export_products: "Exportar el catálogo",
    number_changed: "{name} cambió de número: de {old} a {now}", result_raw: "Resultado, como lo lee el modelo (en inglés)", mark_to_tap: "Para tocar", mark_link: "Enlace", mark_voice: "Nota de voz", mark_file: "Archivo", mark_template: "Plantilla",
  },
  en: {
    tool_name_business_hours: "Look up hours and facts of the business", tool_name_talk_to_a_person: "Call somebody of the team", tool_name_offer_choices: "Offer choices to tap", tool_name_ask_location: "Ask for the location", tool_name_send_link: "Show a link", tool_name_notify_me: "Offer notifications in the browser",
    tool_name_send_template: "Send a template", tool_name_list_files: "List their files", tool_name_send_file: "Send one of their files", tool_name_send_email: "Send an e-mail", tool_name_get_subscription: "Look up their subscription", tool_name_list_plans: "Look up the plans", tool_name_list_invoices: "Look up their invoices", tool_name_send_invoice: "Send an invoice",
    tool_name_start_subscription: "Begin a subscription", tool_name_change_plan: "Show the change of plan", tool_name_cancel_subscription: "Show the cancellation", tool_name_resume_subscription: "Show that it goes on", tool_name_open_portal: "Open their portal", tool_name_verify_email: "Send a code by e-mail", tool_name_confirm_code: "Check the code",
    tool_name_find_products: "Look up products", tool_name_search_knowledge: "Search the documents", tool_name_correct_product: "Correct the open card", tool_name_export_products: "Export the catalogue",
    number_changed: "{name} has another number: {old} became {now}", result_raw: "Result, as the model reads it", mark_to_tap: "To tap", mark_link: "Link", mark_voice: "Voice note", mark_file: "File", mark_template: "Template",
  },
};
