// A picture in its full size.

import { SheetHead } from "../frame/dialog.js";
import { OutLink } from "./formatting.js";
import { html } from "../frame/html.js";
import { t } from "../frame/language.js";

export const PictureSheet = ({ url, text, close }) => html`
  <${SheetHead} title=${t("kind_image")} close=${close} />
  <img class="full-picture" src=${url} alt=${text || t("kind_image")} />
  <p><${OutLink} href=${url}>${t("open_beside")}<//></p>
`;
