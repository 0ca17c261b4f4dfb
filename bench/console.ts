/**
 * The console in Debian's Chromium, on this machine: how large it is, how soon the first view is there, how long a slice
 * takes from the image that is made to its pixels, and what 500 exams leave in the memory of an open page. Needs chromium.
 *
 *   npx tsx bench/console.ts [--exams 500]
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { exchange } from '../test/interop/client.js';
import { openBrowser, openPage } from '../test/interop/console/browser.js';
import type { Page } from '../test/interop/console/browser.js';
import { goTo, liveCounts, pictureBytes, pictureLatencies, rowsShownAfterMs } from '../test/interop/console/inPage.js';
import { ConsoleService, ofPatient } from '../test/interop/console/service.js';
import { simulated } from '../test/interop/streams.js';
import { median, printTable } from './report.js';

const { values: options } = parseArgs({ options: { exams: { type: 'string', default: '500' } } });
const nExams = Number(options.exams);
const nListed = 200;
const MEBI = 2 ** 20;

function bundle(): { all: number; first: number } {
  const folder = fileURLToPath(new URL('../dist/console/', import.meta.url));
  const files = (readdirSync(folder, { recursive: true }) as string[]).filter((name) => /\.(js|css|html|svg)$/.test(name));
  const sizes = new Map(files.map((name) => [name, gzipSync(readFileSync(join(folder, name)), { level: 9 }).length]));
  const html = readFileSync(join(folder, 'index.html'), 'utf8');
  const first = [...sizes].filter(([name]) => name === 'index.html' || html.includes(name)).reduce((sum, [, n]) => sum + n, 0);
  return { all: [...sizes.values()].reduce((sum, n) => sum + n, 0), first };
}

async function heapBytes(page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page);
  await session.send('HeapProfiler.collectGarbage');
  const { usedSize } = await session.send('Runtime.getHeapUsage');
  await session.detach();
  return usedSize;
}

const service = await ConsoleService.start({ parameters: ['--denoise', '0'], environment: { CONUS_EXAMS_WINDOW_MIN: '0.02', CONUS_EXAMS_QUIET_MIN: '0.02' } });
const browser = await openBrowser();
const small = simulated({ matrix: [32, 32], nCoils: 2, noiseScanSamples: 1024 });
const play = (i: number) => exchange(service.port, ofPatient(small, { id: `P${i}`, name: `Bench^${i}` }));
for (let i = 0; i < nListed; i++) await play(i);

const firstViews: number[] = [];
for (let i = 0; i < 5; i++) {
  const { page } = await openPage(browser, service.address);
  firstViews.push(await page.evaluate(rowsShownAfterMs, nListed));
  await page.context().close();
}

const { page } = await openPage(browser, service.address);
await page.evaluate(rowsShownAfterMs, nListed);
const before = await heapBytes(page);
let atHalf = before;
for (let i = 0; i < nExams; i++) {
  await play(nListed + i);
  if (i === nExams >> 1) atHalf = await heapBytes(page);
}
const { latestSequence } = (await (await service.api('api/events')).json()) as { latestSequence: number };
const deadline = Date.now() + 20_000;
while ((await page.evaluate(liveCounts)).sequence < latestSequence && Date.now() < deadline) await page.waitForTimeout(100);
const counts = await page.evaluate(liveCounts);
const after = await heapBytes(page);

// Slices of a usual size, one after the other, while the page looks at their exam.
const large = ofPatient(simulated({ matrix: [320, 320], nCoils: 8, nSlices: 15, acceleration: 2 }), { id: 'LARGE', name: 'Large^Exam' });
const playing = exchange(service.port, large);
await page.getByText('Large, Exam').first().click({ timeout: 30_000 });
await playing;
const again = 3;
for (let i = 0; i < again; i++) await exchange(service.port, large);
await page.waitForTimeout(1500);
const latencies = await page.evaluate(pictureLatencies);
const pictures = await page.evaluate(pictureBytes);
await page.evaluate(goTo, '#/');

const { all, first } = bundle();
printTable('The console', ['what', 'measured', 'asked'], [
  ['bundle, gzipped, everything', `${(all / 1000).toFixed(0)} kB`, '500 kB'],
  ['of that for the first view', `${(first / 1000).toFixed(0)} kB`, ''],
  [`first view with ${nListed} exams, median of ${firstViews.length}`, `${median(firstViews).toFixed(0)} ms`, '1000 ms'],
  ['image made to its pixels, median', `${median(latencies).toFixed(0)} ms of ${latencies.length}`, '150 ms'],
  ['image made to its pixels, worst', `${Math.max(...latencies).toFixed(0)} ms`, ''],
  [`heap before, after ${nExams >> 1} and after ${nExams} more exams`, [before, atHalf, after].map((n) => `${(n / MEBI).toFixed(1)}`).join(', ') + ' MiB', 'bounded'],
  ['changes, gaps, place against the service', `${counts.nChanges}, ${counts.nGaps}, ${counts.sequence} of ${latestSequence}`, 'none dropped'],
  ['pictures kept by the page', `${(pictures / MEBI).toFixed(1)} MiB`, '192 MiB at most'],
]);
await browser.close();
await service.stop();
