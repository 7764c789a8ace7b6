const assert = require("node:assert");
const { source } = require("axe-core");

module.exports = async (page) => {
  const narrow = await page.evaluate(() => innerWidth < 900);
  const wrong = [];
  /** Look at a part of the screen in both themes, which differ in their colours alone. */
  const look = async (where, part = "body") => {
    for (const [colorScheme, options] of [["light", {}], ["dark", { runOnly: ["color-contrast"] }]]) {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      const { violations } = await page.evaluate(([selector, how]) => globalThis.axe.run(selector, how), [part, options]);
      for (const { id, help, nodes } of violations) wrong.push(`${where}, ${colorScheme}: ${id} (${help}) ${nodes.map(({ target }) => target.join(" ")).join(", ")}`);
    }
  };
  await page.evaluate(source);
  await look("start");
  const say = async (words) => {
    await page.locator("#words").fill(words);
    await page.locator("#words").press("Enter");
    await page.waitForFunction((said) => [...document.querySelectorAll("details.turn .chip.answered")].some((chip) => chip.closest("details").querySelector(".said").textContent.includes(said)), words, { polling: 100 });
  };
  await say("Mándame mi última factura por correo");
  await say("Quiero cambiar al plan Pro");
  await say("Quiero hablar con una persona");
  await page.locator("#handoff").waitFor();
  if (narrow) {
    await look("chat");
    await page.click("#show-turns");
  }
  for (const tab of await page.$$eval("#tabs [role=tab]", (all) => all.map(({ id }) => id))) {
    await page.click(`#${tab}`);
    await page.evaluate(() => [...document.querySelectorAll(".view:not([hidden]) details")].slice(0, 3).forEach((one) => (one.open = true)));
    if (tab === "tab-wire") await page.locator("#view-wire .entry-body").first().waitFor();
    await look(tab, "#panel");
  }
  await page.getByRole("button", { name: "Escribir un webhook" }).click();
  await page.locator("#sheet textarea").waitFor();
  await look("sheet", "#sheet");
  await page.keyboard.press("Escape");
  await page.click("#show-drawer");
  await look("drawer", "#drawer");
  assert.deepEqual(wrong, []);
};
