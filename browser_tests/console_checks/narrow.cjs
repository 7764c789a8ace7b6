const { customer, find, logIn, write } = require("./steps/desk.cjs");

const VIEWS = ["inbox", "reports", "trust", "documents", "audit", "people"];

// On a phone and on a tablet no view scrolls sideways, and no name of a view is cut; the panel is reached by its key.
module.exports = async (world) => {
  const nora = await customer(world, "Nora Prieto");
  await write(world, nora, "Hola, ¿a qué hora abren?");
  const found = [];
  for (const locale of ["es-MX", "en-US"])
    for (const width of [390, 820]) {
      const page = await world.open({ locale, viewport: { width, height: 844 } });
      await logIn(world, page, world.people[0]);
      for (const view of VIEWS) {
        await page.goto(`${world.server}/console/#/${view}`);
        await page.locator(".view-" + view).waitFor();
        await page.locator(".page > [role=status]").waitFor({ state: "detached" });
        if (view === "documents") await page.locator(".documents-frame").waitFor();
        if (view === "audit") await page.locator(".table td").first().waitFor();
        found.push(...(await page.evaluate(cut)).map((what) => `${locale} ${width} ${view}: ${what}`));
      }
      await page.context().close();
    }
  if (found.length) throw new Error(found.join("\n"));
  await panel(world);
};

/** Parts of the page that are wider than their place. */
function cut() {
  const parts = document.querySelectorAll(".page, .table-frame, .rail-words, .rail-link, .big-numbers dd, main");
  return [...parts].filter((part) => part.scrollWidth > part.clientWidth + 1).map((part) => `${part.className || part.tagName} ${part.scrollWidth} > ${part.clientWidth}: ${part.textContent.slice(0, 30)}`);
}

async function panel(world) {
  const page = await world.open({ viewport: { width: 1360, height: 860 } });
  await logIn(world, page, world.people[0]);
  await find(page, 4, "Nora Prieto");
  const within = (wanted) => page.waitForFunction((want) => Boolean(document.activeElement.closest(".side")) === want, wanted);
  const open = page.locator(".side");
  // It is open on a wide screen: the key goes into it, and from within shuts it and goes back.
  await page.keyboard.press("i");
  await within(true);
  await page.keyboard.press("i");
  await open.waitFor({ state: "detached" });
  await page.waitForFunction(() => document.activeElement.matches(".conversation-row"));
  await page.keyboard.press("i");
  await within(true);
  await page.keyboard.press("Escape");
  await open.waitFor({ state: "detached" });
  await page.waitForFunction(() => document.activeElement.matches(".conversation-row"));
}
