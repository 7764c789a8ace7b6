// Runs one check of the console in Chromium: node run.cjs SERVER NAME PEOPLE; a check throws where the page is wrong.
const { chromium } = require("playwright-core");

async function main(server, name, people) {
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu"] });
  const faults = [];
  // A browser of its own for each operator, as if on another machine.
  const open = async (options = {}) => {
    const size = { width: Number(process.env.WIDTH ?? 1360), height: 860 };
    const context = await browser.newContext({ locale: "es-MX", viewport: size, reducedMotion: "reduce", ...options });
    const page = await context.newPage();
    page.setDefaultTimeout(20000);
    page.on("pageerror", (error) => faults.push(`${error.message}\n${error.stack}`));
    page.on("console", (line) => /Content Security Policy/.test(line.text()) && faults.push(line.text()));
    return page;
  };
  let last;
  const world = { server, people: JSON.parse(people), open: async (options) => (last = await open(options)) };
  try {
    await require(`./${name}.cjs`)(world);
    if (faults.length) throw new Error(`scripts failed: ${faults.join("; ")}`);
  } finally {
    if (process.env.SHOTS && last) await last.screenshot({ path: `${process.env.SHOTS}/console_${name}.png` }).catch(() => {});
    await browser.close();
  }
}

main(...process.argv.slice(2)).catch((error) => {
  console.error(error);
  process.exit(1);
});
