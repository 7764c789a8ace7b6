const assert = require("node:assert");
const { customer, logIn, until, write } = require("./steps/desk.cjs");

// Charts in the page's colours, by day and by night; a dialog gives the focus back, and says which shortcut it takes.
module.exports = async (world) => {
  const luz = await customer(world, "Luz Barrera");
  await write(world, luz, "Hola, ¿a qué hora abren?");
  for (const colorScheme of ["light", "dark"]) {
    const page = await world.open({ colorScheme });
    await logIn(world, page, world.people[0]);
    await until("the reports count her", async () => {
      await page.evaluate(() => (location.hash = "#/people"));
      await page.locator("#replies-title").waitFor();
      await page.evaluate(() => (location.hash = "#/reports"));
      await page.locator(".chart").first().waitFor();
      return (await page.locator(".chart canvas").count()) > 0;
    });
    const drawn = await page.locator(".chart canvas").first().evaluate((canvas) => {
      const wanted = getComputedStyle(document.querySelector(".chart .u-legend .u-marker")).borderColor.match(/\d+/g).slice(0, 3).map(Number);
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      const near = (colour) => (at) => data[at + 3] > 250 && colour.every((part, one) => Math.abs(data[at + one] - part) < 6);
      const pixels = [...Array(data.length / 4).keys()].map((at) => at * 4);
      return { line: pixels.filter(near(wanted)).length, black: pixels.filter(near([0, 0, 0])).length };
    });
    assert.ok(drawn.line > 50, `${colorScheme}: the chart's line has the colour of its legend: ${JSON.stringify(drawn)}`);
    assert.equal(drawn.black, 0, `${colorScheme}: nothing of the chart is black`);
    if (colorScheme === "light") await page.context().close();
    else await shortcuts(page);
  }
};

async function shortcuts(page) {
  const broken = [];
  page.on("console", (line) => line.type() === "error" && broken.push(line.text()));
  await page.evaluate(() => (location.hash = "#/people"));
  const add = page.getByRole("button", { name: "Añadir respuesta" });
  await add.press("Enter");
  const name = page.locator("dialog [name=shortcut]");
  await name.fill("dos palabras");
  assert.ok(await name.evaluate((input) => input.validity.patternMismatch), "a shortcut with a space is refused before it is sent");
  await name.fill("envío-2");
  assert.ok(await name.evaluate((input) => input.validity.valid));
  await page.keyboard.press("Escape");
  await page.locator("dialog").waitFor({ state: "detached" });
  assert.ok(await add.evaluate((button) => button === document.activeElement), "the focus is back on the button");
  assert.deepEqual(broken, []);
}
