/** What a technologist sees when something does not work: a model, an archive, a scanner's connection, the service itself. */
import { cpSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { SimulatedExam } from '../../../src/simulation/index.js';
import { tinyExam } from '../../src/service/tinyExam.js';
import { loadProtocol } from '../../../src/protocols/index.js';
import { Archive, freePort } from '../archive.js';
import { exchange } from '../client.js';
import { openBrowser, openPage, screenshot, showsPicture } from './browser.js';
import type { Browser } from './browser.js';
import { tinySize, writeProtocol } from './protocols.js';
import { ConsoleService } from './service.js';

const folder = mkdtempSync(join(tmpdir(), 'conus-console-troubles-'));
let browser: Browser;
let environment: Readonly<Record<string, string>>;
let t1w: Buffer;
let t2w: Buffer;

beforeAll(async () => {
  browser = await openBrowser();
  const file = await writeProtocol(folder, tinySize);
  environment = { CONUS_EXAMS_PROTOCOL: file };
  const simulated = new SimulatedExam({ ...(await tinyExam()), protocol: await loadProtocol(file) }, 1);
  const stream = async (id: string) => Buffer.concat([...(await simulated.simulate(id)).timed()].flatMap(({ parts }) => [...parts]));
  [t1w, t2w] = [await stream('sag-t1w'), await stream('sag-t2w')];
  await simulated.close();
}, 120_000);
afterAll(async () => {
  await browser.close();
  rmSync(folder, { recursive: true, force: true });
});

it('a model that is broken: the scanned series are there, and the page tells why there is no STIR', async () => {
  const models = join(folder, 'models');
  const shipped = fileURLToPath(new URL('../../../models/synthesis-maps/', import.meta.url));
  cpSync(shipped, join(models, 'broken-maps'), { recursive: true });
  const manifest = join(models, 'broken-maps', 'manifest.json');
  writeFileSync(manifest, JSON.stringify({ ...(JSON.parse(readFileSync(manifest, 'utf8')) as object), id: 'broken-maps' }));
  truncateSync(join(models, 'broken-maps', 'model.onnx'), 1000);
  const service = await ConsoleService.start({ environment: { ...environment, CONUS_SYNTHESIS_MODEL: 'broken-maps' }, parameters: ['--models', models] });
  const { page } = await openPage(browser, service.address);
  await exchange(service.port, t1w);
  await exchange(service.port, t2w);
  await page.getByRole('table').getByRole('link').first().click();
  await expect.poll(() => page.locator('.cards > li').count(), { timeout: 30_000 }).toBe(2);
  // The promise that was not kept: what, that it failed, and what to do about it.
  const why = page.locator('details').filter({ hasText: 'SYN STIR sag' }).filter({ hasText: 'failed' });
  await why.getByText(/broken-maps/i).first().waitFor({ timeout: 60_000 });
  await why.scrollIntoViewIfNeeded();
  await showsPicture(page);
  await screenshot(page, 'why');
  await page.getByRole('link', { name: 'Operations' }).click();
  await page.getByRole('row').filter({ hasText: 'broken-maps' }).getByText(/refused/).first().waitFor();
  await page.context().close();
  await service.stop();
});

it('an archive that is away: images wait, and are delivered when it is back', async () => {
  const archive = new Archive(join(folder, 'archive'), await freePort());
  const service = await ConsoleService.start({ environment, parameters: ['--deliver-to', archive.destination] });
  const { page } = await openPage(browser, service.address);
  await exchange(service.port, t1w);
  await page.getByRole('table').getByRole('link').first().click();
  await page.locator('.cards > li').getByText('waiting to be delivered').first().waitFor({ timeout: 30_000 });
  await screenshot(page, 'archive-away');
  await page.getByRole('link', { name: 'Operations' }).click();
  await page.getByText(/DICOM_ERR_/).first().waitFor({ timeout: 30_000 });
  await screenshot(page, 'operations');
  await archive.comes();
  await page.getByRole('link', { name: 'Exams' }).click();
  await page.getByRole('table').getByRole('link').first().click();
  await page.locator('.cards > li .state.good').filter({ hasText: /^.?delivered/ }).first().waitFor({ timeout: 60_000 });
  await page.context().close();
  await service.stop();
  await archive.goes();
}, 180_000);

it("a scanner's connection that is killed: the series failed, in words, and the next attempt counts", async () => {
  const service = await ConsoleService.start({ environment });
  const { page } = await openPage(browser, service.address);
  await new Promise<void>((resolve, reject) => {
    const socket = connect({ port: service.port, host: '127.0.0.1' });
    socket.once('error', reject);
    socket.write(t1w.subarray(0, Math.floor(t1w.length / 2)), () => setTimeout(() => {
      socket.destroy();
      resolve();
    }, 1500));
  });
  await page.getByRole('table').getByRole('link').first().click();
  const card = page.locator('.cards > li').first();
  await card.locator('.state.bad').filter({ hasText: 'failed' }).first().waitFor({ timeout: 30_000 });
  expect((await card.textContent())!.length).toBeGreaterThan(60);
  await screenshot(page, 'killed-connection');
  await exchange(service.port, t1w);
  await card.locator('.state.good').filter({ hasText: 'complete' }).first().waitFor({ timeout: 30_000 });
  await page.context().close();
  await service.stop();
});

it('the service itself killed: the page says so, comes back by itself, and has everything again', async () => {
  const [mrdPort, httpPort] = [await freePort(), await freePort()];
  const tokenFile = join(folder, 'tokens');
  writeFileSync(tokenFile, 'a-token-that-is-the-same-after-a-restart\n');
  const withTokens = { environment: { ...environment, CONUS_DOORS_MAKE_TOKEN: 'false', CONUS_DOORS_TOKEN_FILE: tokenFile }, mrdPort, httpPort };
  const first = await ConsoleService.start(withTokens);
  const { page } = await openPage(browser, `${first.address}#token=a-token-that-is-the-same-after-a-restart`);
  await exchange(first.port, t1w);
  await page.getByRole('table').getByRole('link').first().waitFor();
  await first.kill();
  await page.getByText('connection lost').waitFor();
  const second = await ConsoleService.start({ ...withTokens, data: first.data });
  await page.getByRole('status').getByText('live', { exact: true }).waitFor({ timeout: 30_000 });
  await exchange(second.port, t2w);
  await page.getByRole('table').getByRole('link').first().click();
  await expect.poll(() => page.locator('.cards > li').count(), { timeout: 30_000 }).toBe(2);
  await page.context().close();
  await second.stop();
}, 180_000);
