const assert = require("node:assert");

module.exports = async (spanish, url, context) => {
  // A context of its own, because a page in the background is slow.
  const other = await context.browser().newContext({ locale: "en-US" });
  const english = await other.newPage();
  await english.goto(url);
  await english.waitForFunction(() => document.querySelector("#person").options.length > 2);
  const count = await spanish.locator(".starters button").count();
  assert.equal(count, 10);
  const walk = async (page, language) => {
    await page.selectOption("#language", language);
    for (let at = 0; at < count; at += 1) {
      await page.click("#new-person");
      await page.locator("#sheet button[type=submit]").click();
      await page.waitForFunction(() => !document.querySelector("#sheet").open && document.querySelectorAll(".starters button").length > 8, undefined, { polling: 50 });
      await page.locator(".starters button").nth(at).click();
      await page.waitForFunction(() => document.querySelectorAll("article.theirs").length > 0, undefined, { polling: 50 });
      const said = await page.locator("article.theirs").first().innerText();
      assert.doesNotMatch(said, /Te leí|I read:|Error|No se pudo:|didn't work:|no está en nuestros documentos|isn't in our documents|<\w+>/, said);
    }
  };
  await Promise.all([walk(spanish, "es"), walk(english, "en")]);
};
