/**
 * An exam is watched from its first line to the draft sentence: `conus simulate` plays a lumbar spine with a narrow canal in
 * the time of a scanner, twenty times faster, and the page tells and shows what becomes of it. A small variant of
 * lumbar-fast; CONUS_CONSOLE_PROTOCOL=lumbar-fast plays that one itself.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openBrowser, openPage, screenshot, screens, showsPicture, violations } from './browser.js';
import type { Browser } from './browser.js';
import { ConsoleService, mainPath } from './service.js';
import { lightSize, writeProtocol } from './protocols.js';

const longestMs = 900_000;
const folder = mkdtempSync(join(tmpdir(), 'conus-console-exam-'));
let service: ConsoleService;
let browser: Browser;
let protocol: string;

beforeAll(async () => {
  const asked = process.env['CONUS_CONSOLE_PROTOCOL'];
  protocol = asked ?? (await writeProtocol(folder, lightSize));
  // What the overlay of trust is made of, and what a physicist looks at.
  const environment = { CONUS_SYNTHESIS_MAPS: 'interval,pairResidual', CONUS_EXAMS_MAPS: 'gFactor,snr', ...(asked === undefined && { CONUS_EXAMS_PROTOCOL: protocol }) };
  [service, browser] = await Promise.all([ConsoleService.start({ environment }), openBrowser()]);
}, 120_000);
afterAll(async () => {
  await browser.close();
  await service.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Of the exam, with what is not done and why. */
async function standing(): Promise<string> {
  const { exams } = (await (await service.api('api/exams')).json()) as { exams: { id: string }[] };
  const exam = (await (await service.api(`api/exams/${exams[0]!.id}`)).json()) as { state: string; actions: { state: string }[]; promises: { state: string }[] };
  const open = [...exam.actions.filter(({ state }) => state !== 'done'), ...exam.promises.filter(({ state }) => state !== 'came')];
  return `${exam.state} ${JSON.stringify(open)}`;
}

it('is watched from the first line to the draft sentence', async () => {
  const { page, complaints } = await openPage(browser, service.address, screens[1]);
  await page.getByText('No exam yet').waitFor();

  const scanner = spawn(process.execPath, [
    mainPath, 'simulate', '--protocol', protocol, '--seed', '710001', '--pathology', 'stenosis:L4-L5:severe,modic1:L5-S1',
    '--to', `127.0.0.1:${service.port}`, '--real-time', '--speed', '20',
  ], { stdio: ['ignore', 'ignore', 'pipe'] });
  const said = text(scanner.stderr);
  const scannerEnded = once(scanner, 'exit');

  // The first series is being scanned: lines of lines.
  await page.getByRole('table').getByRole('link').first().waitFor({ timeout: longestMs });
  await page.getByRole('table').getByRole('link').first().click();
  const cards = page.locator('.cards > li');
  await cards.first().getByText('scanning').waitFor({ timeout: 60_000 });
  await cards.first().getByText(/\d+ of \d+ lines/).waitFor({ timeout: 60_000 });
  await screenshot(page, 'scanning');

  // Its pictures come, the denoised ones with a light that is a word, too.
  await showsPicture(page);
  await cards.first().getByText('Denoised').waitFor({ timeout: longestMs });
  await cards.first().getByText(/^(green|amber|red)$/).first().waitFor({ timeout: longestMs });

  // What was not scanned is computed, and says what it is on its card and in the picture's own name.
  const synthetic = cards.filter({ hasText: 'SYNTHETIC' });
  await synthetic.waitFor({ timeout: longestMs });
  await synthetic.getByRole('link').first().click();
  const picture = page.locator('canvas.viewport').first();
  await expect.poll(() => picture.getAttribute('aria-label'), { timeout: 30_000 }).toMatch(/^SYNTHETIC/);
  await showsPicture(page);
  await screenshot(page, 'synthetic');
  expect(await violations(page)).toEqual([]);

  const [status] = (await scannerEnded) as [number | null];
  expect(status, await said).toBe(0);
  await expect.poll(standing, { timeout: 300_000, interval: 1000 }).toMatch(/^complete/);

  await page.getByText(/slice \d+ of \d+/).first().waitFor();
  await screenshot(page, 'exam');

  // The denoised image against the conventional one, then all contrasts beside one another.
  await cards.filter({ hasText: 'T2w TSE sag' }).first().getByRole('link').first().click();
  await page.getByRole('button', { name: 'Compare' }).click();
  await showsPicture(page);
  await screenshot(page, 'compare');
  await page.getByRole('button', { name: 'Side by side' }).click();
  const labels = () => page.locator('canvas.viewport').evaluateAll((all) => all.map((one) => one.getAttribute('aria-label') ?? ''));
  await expect.poll(labels, { timeout: 30_000 }).toEqual(expect.arrayContaining([expect.stringMatching(/^SYNTHETIC/), expect.stringMatching(/T2w/)]));
  await showsPicture(page);
  await screenshot(page, 'linked');
  expect(await violations(page)).toEqual([]);
  await page.getByRole('button', { name: 'One picture' }).click();

  // The reading: levels, grades, and the draft sentence.
  await page.getByRole('link', { name: 'Reading' }).click();
  const { exams } = (await (await service.api('api/exams')).json()) as { exams: { id: string }[] };
  const { report } = (await (await service.api(`api/exams/${exams[0]!.id}/reading`)).json()) as { report: { sentences: { level?: string; draft: string }[] } };
  const sentence = report.sentences.find(({ level }) => level === 'L4-L5');
  expect(sentence).toBeDefined();
  await page.getByText('L4-L5', { exact: true }).first().click();
  await expect.poll(() => page.getByRole('textbox').first().inputValue(), { timeout: 30_000 }).toBe(sentence!.draft);
  await showsPicture(page);
  await screenshot(page, 'reading');
  expect(await violations(page)).toEqual([]);

  await page.getByRole('link', { name: 'Physics' }).click();
  await page.getByRole('heading', { name: 'Images and maps' }).waitFor({ timeout: 30_000 });
  await showsPicture(page);
  await screenshot(page, 'physics');
  expect(await violations(page)).toEqual([]);
  expect(complaints).toEqual([]);
}, longestMs);
