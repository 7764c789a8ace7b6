// Product cards that staff have not checked: each field beside the piece of the photo that it was read from.

import { get } from "../data/api.js";
import { titleOf } from "../side/contact_names.js";
import { useFetched } from "../data/fetched.js";
import { html } from "../frame/html.js";
import { counted, moment, percent, t, word } from "../frame/language.js";
import { href } from "../frame/route.js";

export function ProductCards() {
  const state = useFetched(() => get("/product-cards"), []);
  const cards = state.data?.cards ?? [];
  if (!state.data) return null;
  return html`<section class="card" aria-labelledby="cards-title"><h2 id="cards-title">${t("product_cards")}</h2>
    <p class="muted">${cards.length ? counted("product_cards_wait", cards.length) : t("no_product_cards")}</p>
    <ul class="letters">${cards.map((card) => html`<li key=${card.draft}>
      <p class="item-head"><a href=${href("c", card.conversation)}>${titleOf(card.contact)}</a><span class="muted">${t("card_until", { time: moment(card.until) })}</span></p>
      <dl class="read-fields">${card.fields.map((field) => html`<div key=${field.name} class=${field.sure ? "" : "unsure"}>
        <dt>${word("field", field.name)}</dt>
        <dd><span dir="auto">${field.value}</span>${field.confidence !== null && html` <small class="figures">${percent(field.confidence)}</small>`}${!field.sure && html` <small class="health-warm">${t("field_unsure")}</small>`}</dd>
        ${field.picture && html`<dd><img src=${field.picture} alt=${t("field_picture", { field: word("field", field.name) })} loading="lazy" /></dd>`}
      </div>`)}</dl>
    </li>`)}</ul>
  </section>`;
}
