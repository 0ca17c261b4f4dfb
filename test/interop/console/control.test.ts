/** The operator before the page of an exam: chooses, is told who has to say so, sees it hold, and reads why something is not there. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ExamSpec } from '../../../src/simulation/index.js';
import { scanned, tinyExam } from '../../src/service/tinyExam.js';
import { openBrowser, openPage, screens, screenshot, unreachable, violations } from './browser.js';
import type { Browser, Page } from './browser.js';
import { tooWide } from './inPage.js';
import { ConsoleService } from './service.js';

const folder = mkdtempSync(join(tmpdir(), 'conus-control-'));
let service: ConsoleService;
let browser: Browser;
let page: Page;
let complaints: string[];
let spec: ExamSpec;

const scan = (seriesId: string): Promise<void> => scanned({ ...spec, protocol: { ...spec.protocol, series: spec.protocol.series.filter(({ id }) => id === seriesId) } }, service.port);
const panel = (name: string) => page.getByRole('region', { name });

beforeAll(async () => {
  const tiny = await tinyExam();
  // Turns of seconds, so that what does not come is missed at once.
  const protocol = {
    ...tiny.protocol, name: 'short-exam', title: 'Short exam of a test', basedOn: 'lumbar-standard', analyse: [],
    preparation: { adjustmentsS: 0, noiseScanS: 0 }, deadlines: { lateAfterMin: 0, missingAfterMin: 0 }, operator: { denoisePercent: { least: 20, most: 80 } },
    synthesise: (['stir', 't2fs'] as const).map((contrast) => ({ contrast, fromSeries: ['sag-t1w', 'sag-t2w'], optional: contrast === 'stir' })),
  };
  writeFileSync(join(folder, 'short-exam.json'), JSON.stringify(protocol));
  spec = { ...tiny, protocol: { ...tiny.protocol, title: protocol.title } };
  [service, browser] = await Promise.all([
    ConsoleService.start({ environment: { CONUS_EXAMS_PROTOCOL_FILES: join(folder, 'short-exam.json') } }), openBrowser(),
  ]);
  await scan('sag-t1w');
  ({ page, complaints } = await openPage(browser, service.address));
  await page.getByRole('table').getByRole('link').first().click();
  await panel('Protocol').getByText('as the series tell.').waitFor();
}, 120_000);
afterAll(async () => {
  await browser.close();
  await service.stop();
  rmSync(folder, { recursive: true });
});

it('a strength and a switch are set with keys alone, under a name, and hold for the next scan', async () => {
  const protocol = panel('Protocol');
  await protocol.getByText(/shorter than Lumbar spine/).waitFor();
  expect(await protocol.getByRole('button', { name: 'Apply' }).isEnabled()).toBe(false);
  await protocol.getByRole('radio', { name: /As usual: 75 %/ }).focus();
  await page.keyboard.press('ArrowDown');
  const strength = protocol.getByRole('slider', { name: 'Strength' });
  await strength.focus();
  // The protocol allows no less.
  await page.keyboard.press('Home');
  expect(await strength.inputValue()).toBe('20');
  await page.keyboard.press('ArrowRight');
  await protocol.getByRole('checkbox', { name: /SYN STIR/ }).focus();
  await page.keyboard.press('Space');
  expect(await protocol.getByRole('checkbox', { name: /SYN T2FS/ }).isEnabled()).toBe(false);
  await protocol.getByRole('button', { name: 'Apply' }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').getByLabel('Name or initials').fill('Ann');
  await page.keyboard.press('Enter');

  await panel('Promised by the protocol').getByText('switched off').waitFor();
  await protocol.getByText('2 changes').click();
  await protocol.getByText('strength of denoising: not chosen → 25 %').waitFor();
  await screenshot(page, 'control-applied');
  await scan('sag-t2w');
  await panel('Series').getByText('Denoising at 25 %, chosen here by Ann').waitFor();
  await panel('Series').getByText('Denoising at 75 %, as this service does by itself').waitFor();
}, 60_000);

it('what does not come is told: why, what to do, when it was due', async () => {
  const absent = panel('Why is there no …?');
  const stir = absent.getByRole('group').filter({ hasText: /^STIR sag/ });
  await screenshot(page, 'control-late');
  await stir.getByText(/missing$/).waitFor({ timeout: 60_000 });
  await stir.getByText(/no such series has come\./).waitFor();
  await stir.getByText('scan or send it; it is taken whenever it comes').waitFor();
  await stir.getByText(/^\d\d:\d\d; late from \d\d:\d\d, missing from \d\d:\d\d$/).waitFor();
  const off = absent.getByRole('group').filter({ hasText: 'SYN STIR' });
  await off.getByText('switched off').click();
  await off.getByText('Ann switched it off.').waitFor();
  await absent.scrollIntoViewIfNeeded();
  await screenshot(page, 'control-absent');
  // It comes, and nobody asks after it any more.
  await scan('sag-stir');
  await expect.poll(() => stir.count()).toBe(0);
  await panel('Promised by the protocol').getByRole('link', { name: 'STIR sag' }).waitFor();
}, 90_000);

it('what the service refuses is told on the page, and can be undone', async () => {
  const protocol = panel('Protocol');
  // Somebody else makes an end of it while this page still shows the choice.
  await protocol.getByRole('slider', { name: 'Strength' }).fill('60');
  await page.route('**/settings', (route) => route.fulfill({ status: 422, json: { error: { code: 'CONUS_ERR_SETTING_STRENGTH', message: 'CONUS_ERR_SETTING_STRENGTH: got 60 %', expected: 'a strength', action: 'choose another' } } }), { times: 1 });
  await protocol.getByRole('button', { name: 'Apply' }).click();
  await protocol.getByRole('alert').getByText('choose another').waitFor();
  await protocol.getByRole('button', { name: 'Undo' }).click();
  expect(await protocol.getByRole('slider', { name: 'Strength' }).inputValue()).toBe('25');
  expect(await protocol.getByRole('alert').count()).toBe(0);
});

it.each(screens)('axe-core finds nothing with everything open, every control is reached, at $width x $height', async (viewport) => {
  await page.setViewportSize(viewport);
  const closed = page.locator('.side details:not([open]) > summary');
  for (let n = await closed.count(); n > 0; n = await closed.count()) await closed.first().click();
  expect(await violations(page)).toEqual([]);
  expect(await unreachable(page)).toEqual([]);
  expect(await page.evaluate(tooWide)).toBeLessThanOrEqual(0);
  await screenshot(page, `control-${viewport.width}`);
  expect(complaints).toEqual([]);
}, 60_000);
