const assert = require("node:assert");

module.exports = async (page) => {
  const box = page.locator("#words");
  const [ana, leo] = await page.$$eval("#person option", (all) => all.map(({ value }) => value));
  const shot = (name) => process.env.SHOTS && page.screenshot({ path: `${process.env.SHOTS}/panel_${name}.png` });
  const narrow = await page.evaluate(() => innerWidth < 900);
  const panel = (on) => narrow && page.locator(on ? "#show-turns" : "#hide-turns").click();
  const say = async (words) => {
    await box.fill(words);
    await box.press("Enter");
    await page.waitForFunction((said) => [...document.querySelectorAll("details.turn .chip.answered")].some((chip) => chip.closest("details").querySelector(".said").textContent.includes(said)), words, { polling: 200 });
  };
  await say("¿A qué hora abren hoy?");
  await page.selectOption("#person", leo);

  // The panel shows the chosen person alone, or everybody with names.
  const visible = () => page.$$eval("details.turn:not([hidden]) .said", (all) => all.map(({ textContent }) => textContent));
  assert.ok(!(await visible()).some((one) => one.includes("abren hoy")));
  await panel(true);
  await page.locator("#only").uncheck();
  assert.ok((await visible()).some((one) => one.startsWith("Ana Morales: ") && one.includes("abren hoy")));
  await page.locator("#only").check();
  await panel(false);
  await page.selectOption("#person", ana);

  // A bubble leads to its turn, and a turn to its bubble; the imitation is marked.
  const menu = async (bubble, words) => {
    await bubble.focus();
    await page.keyboard.press("Enter");
    await page.getByRole("menuitem", { name: words, exact: true }).click();
  };
  await menu(page.locator("article.theirs").last(), "Ver por dentro");
  const turn = page.locator("details.turn.found");
  await turn.waitFor();
  assert.match(await turn.textContent(), /imitación/);
  await turn.getByText(/^Petición 1/).click();
  assert.match((await turn.locator(".sent-line pre").allTextContents()).join("\n"), /abren hoy/);
  await shot("turn");
  await turn.locator(".jump").first().click();
  await page.locator("article.mine.found").waitFor();

  // A file is told by named facts, without the tags that the model reads.
  await page.click("#attach");
  await page.click("#attach-sample");
  await page.locator("#sheet .row", { hasText: "price_list.pdf" }).click();
  await page.waitForFunction(() => [...document.querySelectorAll("dl.seen dt")].some(({ textContent }) => textContent === "Páginas"));
  assert.doesNotMatch((await page.locator("#view-turns .seen").allTextContents()).join(" "), /<\/?\w+>/);

  // A reaction has a line, and so has a tap with its key.
  await page.locator("article.theirs").last().focus();
  await page.keyboard.press("Enter");
  await page.getByRole("menuitem", { name: /👍/ }).click();
  await page.waitForFunction(() => [...document.querySelectorAll(".noted-line")].some(({ textContent }) => textContent.includes("Queda en la memoria")));
  await say("Quiero cambiar al plan Pro");
  await page.locator("article.theirs .tap").last().click();
  await page.waitForFunction(() => [...document.querySelectorAll("details.turn")].some(({ textContent }) => textContent.includes("Clave de idempotencia") && /recado-[\w-]{22}/.test(textContent)));
  await panel(true);
  await shot("tap");
  await panel(false);

  // The raw webhook and Graph call of a message can be read.
  await menu(page.locator("article.mine").first(), "Ver en bruto");
  await page.waitForFunction(() => /"object": "whatsapp_business_account"/.test(document.querySelector("#view-wire").textContent));
  await shot("wire");
  // A webhook of one's own is written, and wrong JSON is told.
  await page.locator("#view-wire").getByRole("button", { name: "Escribir un webhook" }).click();
  const json = page.locator("#sheet textarea");
  const whole = await json.inputValue();
  await json.fill(whole.replace("}", ""));
  await page.locator("#sheet button[type=submit]").click();
  await page.locator("#json-wrong").waitFor();
  await json.fill(whole.replace('"Hola"', '"¿Cuánto cuesta?"'));
  await page.locator("#sheet button[type=submit]").click();
  await page.waitForFunction(() => [...document.querySelectorAll("article.mine")].some((one) => one.textContent.includes("¿Cuánto cuesta?")));
  await page.locator("#tab-stripe").click();
  await page.locator("#view-stripe summary", { hasText: "Eventos de Stripe" }).click();
  await page.locator(".code-link").first().click();
  assert.match(await page.locator("#sheet pre").textContent(), /"object": "event"/);
  await shot("stripe");
  await page.keyboard.press("Escape");
  if (narrow) await page.locator("#hide-turns").click();
};
