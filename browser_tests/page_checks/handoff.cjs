const assert = require("node:assert");

module.exports = async (page) => {
  const box = page.locator("#words");
  const shot = (name) => process.env.SHOTS && page.screenshot({ path: `${process.env.SHOTS}/handoff_${name}.png` });
  const narrow = await page.evaluate(() => innerWidth < 900);
  const rare = async (name) => {
    await page.click("#show-drawer");
    await page.locator("#rare-messages").getByRole("button", { name }).click();
    await page.click("#hide-drawer");
  };
  await box.fill("Hola");
  await box.press("Enter");
  await page.locator("article.theirs").first().waitFor();
  await rare("Un colega contesta en la app");
  await page.locator("#handoff").waitFor();
  assert.match(await page.locator("#handoff").innerText(), /Un colega contesta desde la app\.\s*El asistente calla hasta las \d\d:\d\d/);
  await shot("echo");
  await page.reload();
  await page.locator("#handoff").waitFor();
  await page.click("#give-back");
  await page.locator("#handoff").waitFor({ state: "hidden" });
  // Another app takes the thread at Meta, and the page takes it back.
  await rare("Otra app toma el hilo");
  await page.locator("#handoff").waitFor();
  assert.match(await page.locator("#handoff").innerText(), /Otra app tiene esta conversación en Meta/);
  await shot("thread");
  await page.getByRole("button", { name: "Tomar la conversación" }).click();
  await page.locator("#handoff").waitFor({ state: "hidden" });
  // Typing ends where a person has the chat and nothing comes.
  await box.fill("Quiero hablar con una persona");
  await box.press("Enter");
  await page.locator("#handoff").waitFor();
  await page.waitForFunction(() => !document.querySelector(".dots"));
  // The page leads to the console, where somebody answers.
  const opened = page.context().waitForEvent("page");
  await page.getByRole("link", { name: /^Consola/ }).click();
  const console_ = await opened;
  await console_.locator(".rail").waitFor();
  await console_.close();
  if (narrow) await page.click("#show-turns");
  await page.click("#tab-catalogue");
  assert.match(await page.locator("#view-catalogue").innerText(), /El catálogo está vacío/);
  await shot("catalogue");
};
