/** Layouts of pictures in the browser, under the policy of the page: compared, side by side, and as a volume. */
import { decode } from 'fast-png';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exchange } from '../client.js';
import { simulated } from '../streams.js';
import { openBrowser, openPage, screens, screenshot, showsPicture, unreachable, violations } from './browser.js';
import type { Browser, Page } from './browser.js';
import { ConsoleService, ofPatient } from './service.js';

let service: ConsoleService;
let browser: Browser;

beforeAll(async () => {
  [service, browser] = await Promise.all([ConsoleService.start(), openBrowser()]);
  // As noisy as scans are: without noise there is nothing to take out, and the denoised series ends.
  const stream = simulated({ nSlices: 4, acceleration: 2, noiseStd: 0.02 });
  for (const description of ['T1w', 'T2w']) await exchange(service.port, ofPatient(stream, { id: 'P1', name: 'Doe^Anna' }, { measurementId: description, description }));
}, 120_000);
afterAll(async () => {
  await browser.close();
  await service.stop();
});

async function openExam(viewport: (typeof screens)[number] = screens[0]): Promise<{ page: Page; complaints: string[] }> {
  const opened = await openPage(browser, service.address, viewport);
  await opened.page.getByRole('table').getByRole('link').first().click();
  await showsPicture(opened.page);
  return opened;
}

const choose = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click();
const labels = (page: Page) => page.locator('canvas.viewport').evaluateAll((canvases) => canvases.map((canvas) => canvas.getAttribute('aria-label') ?? ''));
const brightShareOf = (png: Uint8Array) => {
  const { data, channels } = decode(png);
  let nBright = 0;
  for (let at = 0; at < data.length; at += channels) if (data[at]! > 60 && data[at + 1]! > 60 && data[at + 2]! > 60) nBright++;
  return nBright / (data.length / channels);
};

describe('conventional and denoised', () => {
  it('share a view with a divider that keys move, beside what was taken out', async () => {
    const { page, complaints } = await openExam();
    await page.getByRole('button', { name: 'Compare', exact: true }).waitFor();
    await choose(page, 'Compare');
    await expect.poll(() => labels(page)).toEqual([expect.stringContaining('conventional on the left'), expect.stringContaining('what denoising took out')]);
    await showsPicture(page);
    const divider = page.getByRole('slider', { name: /Divider/ });
    const left = page.locator('canvas.viewport').first();
    await divider.focus();
    await page.keyboard.press('Home');
    await expect.poll(() => divider.getAttribute('aria-valuetext')).toBe('0 % conventional');
    await page.waitForTimeout(200);
    const denoised = await left.screenshot();
    await page.keyboard.press('End');
    await expect.poll(() => divider.getAttribute('aria-valuetext')).toBe('100 % conventional');
    await expect.poll(async () => (await left.screenshot()).equals(denoised)).toBe(false);
    await screenshot(page, 'compare');
    expect(await violations(page)).toEqual([]);
    expect(await unreachable(page)).toEqual([]);
    expect(complaints).toEqual([]);
    await page.context().close();
  });
});

describe('series side by side', () => {
  it.each(screens)('go to the same place together at $width x $height', async (viewport) => {
    const { page, complaints } = await openExam(viewport);
    await choose(page, 'Side by side');
    await expect.poll(async () => (await labels(page)).length).toBe(2);
    await expect.poll(async () => (await labels(page)).every((label) => /slice \d of 4/.test(label))).toBe(true);
    await page.locator('canvas.viewport').nth(1).focus();
    await page.keyboard.press('Home');
    await expect.poll(async () => (await labels(page)).map((label) => /slice (\d)/.exec(label)?.[1])).toEqual(['1', '1']);
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    await expect.poll(async () => (await labels(page)).map((label) => /slice (\d)/.exec(label)?.[1])).toEqual(['3', '3']);
    await screenshot(page, `side-by-side-${viewport.width}`);
    expect(await violations(page)).toEqual([]);
    expect(await unreachable(page)).toEqual([]);
    expect(complaints).toEqual([]);
    await page.context().close();
  });
});

describe('the volume', () => {
  it('is shown by WebGL under the policy of the page, which has nothing to complain of', async () => {
    const { page, complaints } = await openExam();
    await choose(page, 'Volume');
    const canvas = page.locator('.volume-frame canvas');
    await canvas.waitFor();
    await expect.poll(async () => brightShareOf(await canvas.screenshot()), { timeout: 60_000, interval: 500 }).toBeGreaterThan(0.02);
    await choose(page, 'Axial');
    await screenshot(page, 'volume');
    expect(await violations(page)).toEqual([]);
    expect(await unreachable(page)).toEqual([]);
    expect(complaints).toEqual([]);
    await page.context().close();
  }, 120_000);
});
