/** What a physicist does with the console: maps, records, two scans side by side, sweeps; with the pointer and with keys. */
import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exchange } from '../client.js';
import { simulated, withConfig } from '../streams.js';
import { openBrowser, openPage, screens, screenshot, showsPicture, unreachable, violations } from './browser.js';
import type { Browser, Page } from './browser.js';
import { goTo, tooWide } from './inPage.js';
import { ConsoleService, mainPath, ofPatient } from './service.js';

let service: ConsoleService;
let browser: Browser;
/** Two scans of two patients: at R = 2 and at R = 3. */
let places: { examId: string; seriesId: string }[];

beforeAll(async () => {
  [service, browser] = await Promise.all([ConsoleService.start({ parameters: ['--denoise', '0'], environment: { CONUS_EXAMS_MAPS: 'gFactor,snr,noise' } }), openBrowser()]);
  for (const acceleration of [2, 3]) {
    await exchange(service.port, ofPatient(simulated({ nSlices: 3, acceleration, calibrationLines: 24 }), { id: `P${acceleration}`, name: `Phantom^${acceleration}` }));
  }
  const { exams } = (await (await service.api('api/exams')).json()) as { exams: { id: string; patient: { id: string } }[] };
  places = await Promise.all(exams.sort((a, b) => (a.patient.id < b.patient.id ? -1 : 1)).map(async ({ id }) => {
    const { series } = (await (await service.api(`api/exams/${id}`)).json()) as { series: { id: string }[] };
    return { examId: id, seriesId: series[0]!.id };
  }));
  const sweeps = join(service.data, 'sweeps');
  mkdirSync(sweeps);
  writeFileSync(join(service.data, 'full.mrd'), simulated({ nSlices: 1 }));
  await promisify(execFile)(process.execPath, [mainPath, 'sweep', join(service.data, 'full.mrd'), '--R', '2,4', '--acs', '16,24', '--max-nrmse', '0.2', '-o', join(sweeps, 'phantom.json')]);
}, 240_000);
afterAll(async () => {
  await browser.close();
  await service.stop();
});

async function opened(hash: string, viewport: { width: number; height: number } = screens[0]) {
  const made = await openPage(browser, service.address, viewport);
  await made.page.getByRole('table').waitFor();
  await made.page.evaluate(goTo, hash);
  return { ...made, close: () => made.page.context().close() };
}

const physics = (of: 0 | 1) => `#/exam/${places[of]!.examId}/physics/${places[of]!.seriesId}`;
const compare = () => ['#/compare', ...places.map(({ examId, seriesId }) => encodeURIComponent(`${examId}~~${seriesId}`))].join('/');
const panel = (page: Page, name: string) => page.getByRole('region', { name, exact: true });

describe('the record of a scan', () => {
  it('is told with its maps, noise, sampling, times and decisions', async () => {
    const { page, complaints, close } = await opened(physics(0));
    await page.getByText('GRAPPA, R 2').waitFor();
    const maps = panel(page, 'Images and maps');
    await expect.poll(() => maps.locator('canvas.viewport').count()).toBe(4);
    await showsPicture(page);
    const g = maps.locator('figure').filter({ hasText: 'g-factor' });
    await expect.poll(() => g.locator('figcaption').textContent()).toMatch(/mean 1\.\d\d, 99th percentile/);
    expect(await g.getByRole('img', { name: 'colours from 1 to' }).count()).toBe(1);
    expect(await panel(page, 'Sampling').textContent()).toMatch(/imaging: \d+.*calibration: \d+.*not measured: [1-9]/);
    expect(await panel(page, 'Noise of the coils').getByRole('row').count()).toBe(1 + 8);
    expect(await panel(page, 'Images against the scan').textContent()).toMatch(/the last image .* after the last readout/);
    await screenshot(page, 'physics');
    expect(complaints).toEqual([]);
    await close();
  });

  it('is searched and sorted, and leaves out what nobody decided', async () => {
    const { page, close } = await opened(physics(0));
    const decisions = panel(page, 'Parameters and their origin');
    const shown = () => decisions.getByRole('table').getByRole('row').count();
    await decisions.getByLabel('Find').fill('denoise');
    await expect.poll(shown).toBeLessThan(8);
    expect(await decisions.getByRole('row', { name: /^denoise how much/ }).textContent()).toContain('operator');
    await decisions.getByLabel('Find').fill('');
    const all = await shown();
    await decisions.getByLabel('only what was decided').check();
    await expect.poll(shown).toBeLessThan(all);
    await decisions.getByRole('button', { name: 'What' }).click();
    expect(await decisions.getByRole('columnheader', { name: 'What' }).getAttribute('aria-sort')).toBe('ascending');
    await close();
  });

  it('has pictures that go through their slices together, by keys', async () => {
    const { page, close } = await opened(physics(0));
    const maps = panel(page, 'Images and maps').locator('canvas.viewport');
    await maps.nth(3).waitFor();
    const labels = () => maps.evaluateAll((all) => all.map((one) => one.getAttribute('aria-label')));
    expect(await labels()).toEqual(['Image 2/3', 'g-factor 2/3', 'SNR 2/3', 'Noise 2/3']);
    await maps.nth(1).focus();
    await page.keyboard.press('ArrowDown');
    await expect.poll(labels).toEqual(['Image 3/3', 'g-factor 3/3', 'SNR 3/3', 'Noise 3/3']);
    await close();
  });
});

describe('two scans side by side', () => {
  it('differ in their acceleration, and in their pictures', async () => {
    const { page, complaints, close } = await opened(compare());
    const differences = panel(page, 'What differs');
    await differences.getByRole('row', { name: /^acceleration R 2 3/ }).waitFor();
    await page.getByLabel('difference').check();
    await expect.poll(() => panel(page, 'Pictures').locator('canvas.viewport').count()).toBe(3);
    await showsPicture(page);
    const few = await differences.getByRole('row').count();
    await page.getByLabel('what is the same, too').check();
    await expect.poll(() => differences.getByRole('row').count()).toBeGreaterThan(few + 20);
    await screenshot(page, 'compare');
    expect(complaints).toEqual([]);
    await close();
  });

  it('may be attempts of one scan: what was asked for differently is told, and each has its pictures', async () => {
    const asked = (kernelReadout: number) => withConfig(ofPatient(simulated({ nSlices: 1, acceleration: 2, calibrationLines: 24 }), { id: 'P9', name: 'Again^9' }), `{"parameters":{"kernelReadout":${kernelReadout}}}`);
    for (const kernelReadout of [3, 7]) await exchange(service.port, asked(kernelReadout));
    const { page, complaints, close } = await opened('#/compare');
    for (const [side, attempt] of [['Left', 'attempt 1, Again'], ['Right', /Again/]] as const) {
      const option = page.getByLabel(side).getByRole('option', { name: attempt }).first();
      await page.getByLabel(side).selectOption((await option.getAttribute('value'))!);
    }
    await panel(page, 'What differs').getByRole('row', { name: /^kernelReadout 3 client 7 client/ }).waitFor();
    await page.getByLabel('difference').check();
    await expect.poll(() => panel(page, 'Pictures').getByRole('img', { name: 'colours from -' }).count()).toBe(1);
    expect(complaints).toEqual([]);
    await close();
  });

  it('are chosen from all exams, and the address keeps the choice', async () => {
    const { page, close } = await opened('#/compare');
    await page.getByLabel('Right').selectOption({ index: 1 });
    await expect.poll(() => page.url()).toMatch(/#\/compare\/-\/.+/);
    await page.getByLabel('Left').selectOption({ index: 2 });
    await panel(page, 'What differs').waitFor();
    await page.reload();
    await panel(page, 'What differs').waitFor();
    await close();
  });
});

describe('a sweep', () => {
  it('is listed, drawn, and shows the pictures of the setting that is looked at', async () => {
    const { page, complaints, close } = await opened('#/sweeps');
    await page.getByRole('link', { name: 'phantom' }).click();
    await expect.poll(() => page.locator('.sweep-chart canvas').count()).toBeGreaterThanOrEqual(5);
    const setting = page.getByRole('button', { name: 'R 4, 16 calibration lines, grappa' });
    await setting.focus();
    const pictures = panel(page, 'R 4, 16 calibration lines, grappa');
    await expect.poll(() => pictures.locator('figure > img').count()).toBe(3);
    const [image] = await pictures.locator('figure > img').evaluateAll((all) => all.map((one) => (one as unknown as { naturalWidth: number }).naturalWidth));
    expect(image).toBe(96);
    // The pointer on a point of a curve does the same.
    const plot = page.locator('.sweep-chart .u-over').first();
    await plot.scrollIntoViewIfNeeded();
    const box = (await plot.boundingBox())!;
    await page.mouse.move(box.x + box.width - 12, box.y + box.height - 12);
    await panel(page, 'as acquired').waitFor();
    await page.getByRole('combobox', { name: 'over' }).selectOption('acceleration');
    await expect.poll(() => page.locator('.sweep-chart canvas').count()).toBeGreaterThanOrEqual(5);
    await screenshot(page, 'sweep');
    expect(await page.evaluate(tooWide)).toBeLessThanOrEqual(0);
    expect(complaints).toEqual([]);
    await close();
  });

  it('may come from a file; what is none is refused with words', async () => {
    const { page, close } = await opened('#/sweeps');
    await page.getByLabel('From a file').setInputFiles({ name: 'x.json', mimeType: 'application/json', buffer: Buffer.from('{"version":1}') });
    await page.getByRole('alert').getByText('JSON that is no sweep').waitFor();
    await page.getByLabel('From a file').setInputFiles(join(service.data, 'sweeps', 'phantom.json'));
    await panel(page, 'Every setting').waitFor();
    expect(await page.getByRole('alert').count()).toBe(0);
    await close();
  });
});

const views: readonly (readonly [what: string, hash: () => string])[] = [['the record', () => physics(1)], ['two scans', compare], ['a sweep', () => '#/sweeps/phantom']];

describe.each(screens)('at $width x $height', (viewport) => {
  it.each(views)('%s: axe-core finds nothing, every control is reached by Tab, nothing is wider than the screen', async (_what, hash) => {
    const { page, complaints, close } = await opened(hash(), viewport);
    await page.locator('canvas').first().waitFor();
    await page.waitForLoadState('networkidle');
    expect(await violations(page)).toEqual([]);
    expect(await unreachable(page)).toEqual([]);
    expect(await page.evaluate(tooWide)).toBeLessThanOrEqual(0);
    expect(complaints).toEqual([]);
    await close();
  });
});
