const assert = require("node:assert");

module.exports = async (page, url, context) => {
  const box = page.locator("#words");
  const [ana, leo] = await page.$$eval("#person option", (all) => all.map(({ value }) => value));

  // A draft stays with its chat.
  await box.fill("para Ana");
  await page.selectOption("#person", leo);
  assert.equal(await box.inputValue(), "");
  await box.fill("para Leo");
  await page.selectOption("#person", ana);
  assert.equal(await box.inputValue(), "para Ana");
  await page.selectOption("#person", leo);
  assert.equal(await box.inputValue(), "para Leo");
  await page.selectOption("#person", ana);

  // Answering and editing move the cursor into the box.
  await box.fill("Hola");
  await box.press("Enter");
  const bubble = page.locator("article.mine").first();
  await bubble.waitFor();
  for (const words of ["Responder", "Editar"]) {
    await bubble.hover();
    await bubble.locator(".more").click();
    await page.getByRole("menuitem", { name: words, exact: true }).click();
    await page.waitForTimeout(150);
    assert.equal(await page.evaluate(() => document.activeElement.id), "words", words);
  }
  await page.keyboard.press("Escape");
  await box.fill("");

  // A long text is kept whole, and its limit is said.
  await box.fill("ñ".repeat(65537));
  assert.equal((await box.inputValue()).length, 65537);
  assert.match(await page.locator("#length").textContent(), /65,537 de 65,536/);
  assert.equal(await page.locator("#send").isDisabled(), true);
  await box.fill("ñ".repeat(65536));
  assert.equal(await page.locator("#length").isHidden(), true);
  await box.press("Enter");
  await page.waitForFunction(() => [...document.querySelectorAll("article.mine")].some((one) => one.textContent.includes("ñ".repeat(65536))));
  await box.fill("");

  // An upload tells its progress and can be cancelled.
  let let_go;
  await page.route("**/messages", async (route) => {
    await new Promise((resolve) => (let_go = resolve));
    await route.continue().catch(() => {});
  });
  const before = await page.locator("article.mine").count();
  await page.setInputFiles("#document-input", { name: "lista.pdf", mimeType: "application/pdf", buffer: Buffer.from("%PDF-1.7") });
  await page.locator("#sheet button[type=submit]").click();
  await page.locator("#uploading").waitFor();
  assert.match(await page.locator("#uploading-name").textContent(), /Subiendo lista.pdf/);
  if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/uploading.png` });
  await page.locator("#uploading-cancel").click();
  await page.locator("#uploading").waitFor({ state: "hidden" });
  assert.equal(await page.locator("article.mine").count(), before);
  let_go();
  await page.unroute("**/messages");

  // Without a connection the page says so, and keeps the words.
  await context.setOffline(true);
  await page.locator("#offline").waitFor();
  await box.fill("sin red");
  await box.press("Enter");
  await page.locator("#problem").waitFor();
  assert.match(await page.locator("#problem").textContent(), /no hay conexión/);
  assert.equal(await box.inputValue(), "sin red");
  if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/offline.png` });
  await context.setOffline(false);
  await page.locator("#offline").waitFor({ state: "hidden" });
};
