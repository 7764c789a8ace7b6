const assert = require("node:assert");

module.exports = async (page) => {
  for (const language of ["es", "en"]) {
    await page.selectOption("#language", language);
    const count = await page.evaluate(() => document.querySelectorAll(".starters button").length);
    for (let at = 0; at < 8; at += 1) {
      await page.click("#new-person");
      await page.locator("#sheet button[type=submit]").click();
      await page.waitForFunction(() => !document.querySelector("#sheet").open && document.querySelectorAll(".starters button").length === 8);
      await page.locator(".starters button").nth(at).click();
      await page.waitForFunction(() => document.querySelectorAll("article.theirs").length > 0);
      const said = await page.locator("article.theirs").first().innerText();
      assert.doesNotMatch(said, /Te leí|I read:|Error|No se pudo:|didn't work:|<\w+>/, said);
    }
    assert.ok(count >= 0);
  }
};
