// A picture in its full size.

import { SheetHead } from "./dialog.js";
import { OutLink } from "./formatting.js";
import { html } from "./html.js";
import { t } from "./language.js";

export const PictureSheet = ({ url, text, close }) => html`
  <${SheetHead} title=${t("kind_image")} close=${close} />
  <img class="full-picture" src=${url} alt=${text || t("kind_image")} />
  <p><${OutLink} href=${url}>${t("open_beside")}<//></p>
`;
