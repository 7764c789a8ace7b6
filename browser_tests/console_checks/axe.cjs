const fs = require("node:fs");
const path = require("node:path");
const { customer, find, logIn, write } = require("./steps/desk.cjs");

const FILM = path.join(__dirname, "../../fixtures/media/video/label.mp4");
const AXE = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

// Every view in both themes, wide and on a phone: no violation of axe's rules.
module.exports = async (world) => {
  const found = [];
  const nora = await customer(world, "Nora Prieto");
  await write(world, nora, "Hola, ¿a qué hora abren?");
  for (const colorScheme of ["light", "dark"])
    for (const viewport of [{ width: 1440, height: 900 }, { width: 390, height: 844 }]) {
      const page = await world.open({ colorScheme, viewport, bypassCSP: true });
      const examine = async (name) => {
        await page.evaluate(AXE);
        const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
        found.push(...violations.map(({ id, nodes }) => `${colorScheme} ${viewport.width} ${name}: ${id} ${nodes[0].html.slice(0, 200)}`));
      };
      await walk(world, page, examine);
      await page.context().close();
    }
  if (found.length) throw new Error(found.join("\n"));
};

async function walk(world, page, examine) {
  await page.goto(`${world.server}/console/password?token=x`);
  await examine("password");
  await page.goto(`${world.server}/console/login`);
  await examine("login");
  await logIn(world, page, world.people[0]);
  await page.locator(".conversation-row, .empty").first().waitFor();
  await examine("inbox");
  // The first walk takes it.
  await find(page, world.taken ? 2 : 4, "Nora Prieto");
  await page.locator(".bubble.bot .why-link").first().click();
  await page.locator(".why-summary").waitFor();
  await examine("why");
  await page.locator(".why button", { hasText: /caso de prueba|test case/ }).click();
  await page.locator("dialog[open] .case-text").waitFor();
  await examine("test case");
  await page.keyboard.press("Escape");
  await page.locator("dialog[open]").waitFor({ state: "detached" });
  await page.locator(".why button", { hasText: /otra versión|another release/ }).click();
  await page.locator("dialog[open] .replay-form button").click();
  await page.locator("dialog[open] .difference").waitFor();
  await examine("replay");
  await page.keyboard.press("Escape");
  await page.locator("dialog[open]").waitFor({ state: "detached" });
  await page.locator("#side-contact").click();
  await examine("contact");
  await page.keyboard.press("Escape");
  await page.keyboard.press("t");
  await page.locator("#words").waitFor();
  if (!world.taken) {
    await page.setInputFiles("#file", FILM);
    await page.locator("dialog[open] video").waitFor();
    await examine("files to send");
    await page.locator("dialog[open] .wide-button").click();
  }
  world.taken = true;
  await page.locator("video.picture").waitFor();
  await page.locator("#words").focus();
  await examine("conversation");
  await page.keyboard.press("Escape");
  for (const [key, name] of [["n", "note"], ["Control+k", "palette"], ["?", "help"], ["a", "assign"], ["l", "labels"], ["g", "give back"]]) {
    await page.keyboard.press(key);
    if (name !== "note") await page.locator("dialog[open]").waitFor();
    await examine(name);
    await page.keyboard.press("Escape");
    await page.locator("dialog[open]").waitFor({ state: "detached" });
  }
  for (const name of ["reports", "trust", "documents", "audit", "people"]) {
    await page.evaluate((view) => (location.hash = `#/${view}`), name);
    await page.locator(".page-head").waitFor();
    await page.waitForFunction(() => !document.querySelector('[role="status"].muted'));
    await examine(name);
  }
  await page.locator("[aria-label^='Ajustes de']").first().click();
  await page.locator("dialog[open] .switch").last().waitFor();
  await examine("settings");
}
