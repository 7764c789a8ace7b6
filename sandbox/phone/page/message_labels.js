// Labels above a message's content: forwarded, the ad that it comes from, the product that it asks about.

import { el, icon } from "./dom.js";
import { t } from "./language.js";

/** Nodes for the labels of a message; most messages have none. */
export function messageLabels({ context = {}, referral, group_id: group, from_app: fromApp }) {
  const often = context.frequently_forwarded;
  return [
    group && mark("person", t("mark_group")),
    fromApp && mark("person", t("mark_from_app")),
    (context.forwarded || often) && mark("forward", t(often ? "mark_forwarded_often" : "mark_forwarded")),
    context.referred_product && box(t("mark_product", { id: context.referred_product.product_retailer_id })),
    referral && box(t("mark_ad"), referral.headline, referral.body),
  ].filter(Boolean);
}

const mark = (sign, words) => el("p", { class: "mark-line" }, icon(sign), words);

const box = (title, ...lines) => el("div", { class: "quote" }, el("strong", {}, title), lines.filter(Boolean).map((line) => el("span", {}, line)));
