// Runs one check in Chromium: node run.cjs URL NAME; a check throws where the page is wrong.
const { chromium } = require("playwright-core");

async function main(url, name) {
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu"] });
  const context = await browser.newContext({ locale: "es-MX", viewport: { width: Number(process.env.WIDTH ?? 1280), height: 900 }, colorScheme: process.env.SCHEME ?? "light" });
  const page = await context.newPage();
  page.setDefaultTimeout(60000);
  const faults = [];
  page.on("pageerror", (error) => faults.push(error.message));
  await page.goto(url);
  await page.waitForFunction(() => document.querySelector("#person").options.length > 2);
  try {
    await require(`./${name}.cjs`)(page, url, context);
    if (faults.length) throw new Error(`scripts failed: ${faults.join("; ")}`);
  } finally {
    if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/${name}.png` });
    await browser.close();
  }
}

main(...process.argv.slice(2)).catch((error) => {
  console.error(error);
  process.exit(1);
});
