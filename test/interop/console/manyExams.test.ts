/** A night of exams past an open page: it has what the service has, change by change, and does not grow with what is over. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { exchange } from '../client.js';
import { simulated } from '../streams.js';
import { openBrowser, openPage } from './browser.js';
import type { Browser } from './browser.js';
import { liveCounts } from './inPage.js';
import { ConsoleService, ofPatient } from './service.js';

const nExams = 40;
const mostKept = 15;
let service: ConsoleService;
let browser: Browser;

beforeAll(async () => {
  const environment = { CONUS_EXAMS_MAX_FINISHED: String(mostKept), CONUS_EXAMS_QUIET_MIN: '0.02', CONUS_EXAMS_WINDOW_MIN: '0.02' };
  [service, browser] = await Promise.all([ConsoleService.start({ environment, parameters: ['--denoise', '0'] }), openBrowser()]);
}, 120_000);
afterAll(async () => {
  await browser.close();
  await service.stop();
});

it('loses no change, and lets go what the service lets go', async () => {
  const { page, complaints } = await openPage(browser, service.address);
  await page.getByText('No exam yet').waitFor();
  const stream = simulated({ matrix: [32, 32], nCoils: 2, noiseScanSamples: 1024 });
  for (let i = 0; i < nExams; i++) await exchange(service.port, ofPatient(stream, { id: `P${i}`, name: `Night^${i}` }));
  const latest = async () => ((await (await service.api('api/events')).json()) as { latestSequence: number }).latestSequence;
  await expect.poll(async () => (await page.evaluate(liveCounts)).sequence === (await latest()), { timeout: 20_000 }).toBe(true);
  const counts = await page.evaluate(liveCounts);
  expect(counts).toMatchObject({ nConnections: 1, nResets: 1, nGaps: 0 });
  expect(counts.nChanges).toBeGreaterThan(3 * nExams);

  // Those that are over leave the list with the memory of the service; the list is what the service says.
  const listed = async () => ((await (await service.api('api/exams')).json()) as { exams: { id: string }[] }).exams.length;
  await expect.poll(listed, { timeout: 30_000, interval: 500 }).toBeLessThanOrEqual(mostKept);
  await expect.poll(async () => (await page.locator('table.exams tbody tr').count()) - (await listed()), { timeout: 20_000 }).toBe(0);
  expect(complaints).toEqual([]);
  await page.context().close();
}, 180_000);
