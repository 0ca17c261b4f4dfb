/** A reader and whoever looks after the service, at the page: grades, words, a conflict, a confirmed report; destinations, what was given up, the log. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ReadingView } from '../../../src/reading/index.js';
import { loadUnresolvedProtocol } from '../../../src/protocols/index.js';
import { accepted, startStage, type RunningStage } from '../../src/handoff/stage.js';
import { analysedAsBoxes } from '../../src/service/boxAnalysis.js';
import { scanned, tinyExam } from '../../src/service/tinyExam.js';
import { openBrowser, openPage, screens, screenshot, showsPicture, unreachable, violations } from './browser.js';
import type { Browser, Page } from './browser.js';
import { tooWide } from './inPage.js';
import { ConsoleService, mainPath } from './service.js';

let folder: string;
let stage: RunningStage;
let service: ConsoleService;
let browser: Browser;
let examId: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'conus-reader-'));
  stage = await startStage({ answer: () => accepted, fetches: true, outcomes: (offer) => analysedAsBoxes(offer, stage.fetched) });
  const protocol = await loadUnresolvedProtocol('lumbar-standard');
  writeFileSync(join(folder, 'short.json'), JSON.stringify({
    ...protocol, name: 'short', synthesise: [], whenComplete: [], series: protocol.series.filter(({ geometry }) => geometry.orientation === 'sagittal'),
    analyse: ['structures', 'grades'].map((task) => ({ task, fromSeries: ['sag-t1w', 'sag-t2w'] })),
  }));
  writeFileSync(join(folder, 'conus.json'), JSON.stringify({
    exams: { protocol: join(folder, 'short.json') }, handoff: { stages: { grader: { kind: 'http', url: stage.url } } },
    spool: { maxAttempts: 1 },
    dicom: { destinations: {
      archive: { kind: 'folder', folder: join(folder, 'archive') },
      away: { kind: 'dicom', host: '127.0.0.1', port: 1, aeTitle: 'AWAY', rules: { descriptions: ['results of *'] } },
    } },
  }));
  [service, browser] = await Promise.all([ConsoleService.start({ parameters: ['--config', join(folder, 'conus.json')] }), openBrowser()]);
  await scanned(await tinyExam(), service.port, ['sag-t1w', 'sag-t2w']);
  for (examId = ''; examId === ''; await sleep(300)) {
    const { exams } = (await (await service.api('api/exams')).json()) as { exams: { id: string }[] };
    const id = exams[0]?.id ?? '';
    if ((await service.api(`api/exams/${id}/reading`)).ok) examId = id;
  }
}, 180_000);
afterAll(async () => {
  await browser.close();
  await service.stop();
  await stage.close();
  rmSync(folder, { recursive: true });
});

async function opened(hash: string, viewport: (typeof screens)[number] = screens[0]) {
  const open = await openPage(browser, service.address, viewport);
  await open.page.getByRole('table').waitFor();
  await open.page.evaluate(`location.hash = ${JSON.stringify(hash)}`);
  return open;
}
const reading = async () => (await (await service.api(`api/exams/${examId}/reading`)).json()) as ReadingView;
const says = (what: string, word: object) => service.api(`api/exams/${examId}/reading/${what}`, { method: 'POST', body: JSON.stringify(word), headers: { 'content-type': 'application/json' } });
const introduced = async (page: Page, name: string) => {
  await page.getByLabel('Name or initials').fill(name);
  await page.getByRole('button', { name: 'Go on' }).click();
};
/** A promise that is kept when somebody says so. */
function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((kept) => (resolve = kept));
  return { promise, resolve };
}

const canal = 'Central canal of Central canal';

describe('the reader', () => {
  it.each(screens)('sees the worst level first, with its picture and its reasons, at $width x $height', async (viewport) => {
    const { page, complaints } = await opened(`#/exam/${examId}/reading`, viewport);
    await page.getByRole('heading', { name: 'Sentence of L4-L5' }).waitFor();
    await showsPicture(page);
    await expect.poll(() => page.locator('canvas.viewport').getAttribute('aria-label')).toContain('L4-L5, Central canal');
    expect(await page.getByText('no axial series').isVisible()).toBe(true);
    await page.getByRole('img', { name: 'Central canal: the picture that it rests on' }).waitFor();
    await screenshot(page, `reader-${viewport.width}`);
    expect(await page.getByText('Research use only.').isVisible()).toBe(true);
    expect(await violations(page)).toEqual([]);
    expect(await unreachable(page)).toEqual([]);
    expect(await page.evaluate(tooWide)).toBeLessThanOrEqual(0);
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  it('goes through the levels by keys', async () => {
    const { page } = await opened(`#/exam/${examId}/reading`);
    await page.getByRole('button', { name: /^L4-L5/ }).focus();
    await page.keyboard.press('ArrowUp');
    await page.getByRole('heading', { name: 'Sentence of L4', exact: true }).waitFor();
    await page.keyboard.press('ArrowUp');
    await page.getByRole('heading', { name: 'Sentence of the whole spine' }).waitFor();
    await page.context().close();
  });

  it('grades within the scale and words a level, and it is kept with the name that was asked for once', async () => {
    const { page, complaints } = await opened(`#/exam/${examId}/reading`);
    await page.getByRole('button', { name: /^L4-L5/ }).click();
    const select = page.getByLabel(canal);
    expect(await select.locator('option').allTextContents()).toEqual(['normal', 'mild', 'moderate', 'severe (computed)']);
    await select.selectOption('mild');
    await introduced(page, 'Dr. One');
    await page.getByText('reader; computed: severe', { exact: true }).waitFor();
    await page.getByLabel('Sentence', { exact: true }).fill('L4-L5: no stenosis to speak of.');
    await page.getByRole('button', { name: 'Save the words' }).click();
    await page.getByText('Words of Dr. One').waitFor();
    expect((await reading()).steps).toMatchObject([{ what: 'grade', by: 'Dr. One', from: 'severe', to: 'mild' }, { what: 'sentence', by: 'Dr. One', level: 'L4-L5' }]);
    expect(await page.getByText('central canal: severe to mild').isVisible()).toBe(true);
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  it('sees at once what somebody else says, and is told when his own word comes too late', async () => {
    const { page } = await opened(`#/exam/${examId}/reading`);
    const select = page.getByLabel(canal);
    await page.getByRole('button', { name: /^L4-L5/ }).click();
    await expect.poll(() => select.inputValue()).toBe('mild');
    const { revision } = await reading();
    expect((await says('grades', { by: 'Dr. Two', revision, findingId: 'centralCanal/L4-L5', scale: 'centralCanal', value: 'moderate' })).status).toBe(200);
    await expect.poll(() => select.inputValue()).toBe('moderate');

    // A page that hears nothing new for a moment.
    const { promise: held, resolve: release } = withResolvers();
    await page.route((url) => url.pathname.endsWith('/reading'), async (route) => {
      await held;
      await route.continue();
    });
    expect((await says('grades', { by: 'Dr. Two', revision: revision + 1, findingId: 'centralCanal/L4-L5', scale: 'centralCanal', value: 'severe' })).status).toBe(200);
    await select.selectOption('normal');
    await introduced(page, 'Dr. One');
    release();
    await page.getByRole('alert').getByText('CONUS_ERR_READING_REVISION', { exact: true }).waitFor();
    await expect.poll(() => select.inputValue()).toBe('severe');
    expect((await reading()).revision).toBe(revision + 2);
    await page.context().close();
  });

  it('confirms, and sees where the report is', async () => {
    const { page, complaints } = await opened(`#/exam/${examId}/reading`);
    await page.getByRole('button', { name: 'Confirm the report' }).click();
    await introduced(page, 'Dr. Three');
    await page.getByRole('dialog').getByText('1 grade and 1 sentence were changed.').waitFor();
    expect(await violations(page)).toEqual([]);
    await page.getByRole('button', { name: 'Confirm', exact: true }).click();
    await page.getByText('delivered to archive').waitFor({ timeout: 60_000 });
    await page.getByText('given up for away').waitFor({ timeout: 60_000 });
    expect(await page.getByText('by Dr. Three').first().isVisible()).toBe(true);
    expect(await page.getByRole('button', { name: 'Confirm the report' }).count()).toBe(0);
    await screenshot(page, 'reader-confirmed');
    expect((await reading()).confirmed).toMatchObject({ by: 'Dr. Three' });
    expect(complaints).toEqual([]);
    await page.context().close();
  });
});

describe('whoever looks after the service', () => {
  it.each(screens)('sees destinations, what was given up and why, models and the log, at $width x $height', async (viewport) => {
    const { page, complaints } = await opened('#/operations', viewport);
    await page.getByRole('heading', { name: 'Outbox' }).waitFor();
    await page.getByText('given up').first().waitFor();
    await page.getByText('DICOM_ERR_CONNECTION').first().waitFor();
    await page.getByRole('rowheader', { name: /spine-structures/ }).waitFor();
    await page.getByText('delivered', { exact: false }).first().waitFor();
    await screenshot(page, `operations-${viewport.width}`);
    expect(await violations(page)).toEqual([]);
    expect(await unreachable(page)).toEqual([]);
    expect(await page.evaluate(tooWide)).toBeLessThanOrEqual(0);
    // No patient is on this page.
    expect(await page.locator('main').textContent()).not.toMatch(/Simulated|SIMULATED/);
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  it('asks whether a destination answers', async () => {
    const { page } = await opened('#/operations');
    await page.getByRole('button', { name: 'Ask archive' }).click();
    await page.getByText(/answered in \d+ ms/).waitFor();
    await page.getByRole('button', { name: 'Ask away' }).click();
    await page.getByRole('row', { name: /^away/ }).getByText('What to do').waitFor();
    await page.context().close();
  });

  it('drops what was given up, under a name that the log has', async () => {
    const { page } = await opened('#/operations');
    const drops = page.getByRole('button', { name: /^Drop/ });
    await drops.first().waitFor();
    const before = await drops.count();
    await drops.first().click();
    await page.getByRole('button', { name: 'Drop it' }).click();
    await introduced(page, 'Tech One');
    await expect.poll(() => drops.count()).toBe(before - 1);
    await page.getByLabel('With').fill('was dropped');
    await page.getByText('by=Tech One').waitFor();
    await page.context().close();
  });

  it('sees a job that was given up, and drops it by keys, under a name that the log has', async () => {
    execFileSync(process.execPath, [mainPath, 'jobs', 'add', 'reconstruct', 'none.mrd', '--data', service.data]);
    const { page, complaints } = await opened('#/operations');
    const drop = page.getByRole('button', { name: /^Drop … job reconstruct/ });
    await drop.waitFor({ timeout: 30_000 });
    await page.getByRole('row', { name: /^Reconstruction given up/ }).waitFor();
    await screenshot(page, 'operations-jobs');
    expect(await violations(page)).toEqual([]);
    expect(await unreachable(page)).toEqual([]);
    await drop.focus();
    await page.keyboard.press('Enter');
    await page.getByRole('dialog', { name: 'Forget it for good?' }).waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await introduced(page, 'Tech One');
    await expect.poll(() => drop.count()).toBe(0);
    await page.getByLabel('With').fill('a job was dropped');
    await page.getByText('by=Tech One').waitFor();
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  it('reads the card of a model', async () => {
    const { page } = await opened('#/operations');
    await page.getByRole('button', { name: 'Read the card of mr-denoiser' }).click();
    await page.locator('pre.card-text').waitFor();
    expect((await page.locator('pre.card-text').textContent())!.length).toBeGreaterThan(200);
    await page.context().close();
  });
});
