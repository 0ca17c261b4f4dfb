import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { Metrics } from '../../src/metrics.js';
import { allMetrics, metricFacts } from './allMetrics.js';
import { spoolIn, storedSeries, temporaryFolder } from './spool/data.js';

it('tells of the data folder and the outbox', async () => {
  const spool = await spoolIn(temporaryFolder(), { quotaBytes: 5000 });
  const metrics = new Metrics();
  metrics.watchSpool(spool, () => 3);
  const values = async () => {
    const text = await metrics.registry.metrics();
    return Object.fromEntries(text.split('\n').filter((line) => /^conus_(outbox|spool|sessions_not)/.test(line)).map((line) => line.split(' ')));
  };
  expect(await values()).toEqual({ conus_spool_used_bytes: '0', conus_spool_quota_bytes: '5000', conus_spool_full: '0', conus_sessions_not_kept_total: '3' });
  const [one, two] = [await storedSeries(spool, '2.25.1', 2), await storedSeries(spool, '2.25.2', 1)];
  const add = (instances: typeof one) => spool.transaction(() => spool.outbox.add({ destination: 'pacs', examId: 'e', instances }));
  const first = await add(one);
  await add(two);
  await spool.outbox.begin(first);
  const refused = { '2.25.1.2': { code: 'DICOM_ERR_REFUSED', message: 'no' } };
  await spool.outbox.settle(first, { acknowledged: ['2.25.1.1'], refused, uncertain: [] }, { maxAttempts: 9, maxAgeMs: 1e9 }, 0);
  for (let times = 0; times < 2; times++) {
    const told = await values();
    expect(told).toMatchObject({
      'conus_outbox_jobs{destination="pacs"}': '1',
      'conus_outbox_dead_jobs{destination="pacs"}': '1',
      'conus_outbox_delivered_instances_total{destination="pacs"}': '1',
      'conus_outbox_resent_instances_total{destination="pacs"}': '0',
      conus_spool_used_bytes: '300',
    });
    expect(Number(told['conus_outbox_oldest_seconds{destination="pacs"}'])).toBeGreaterThanOrEqual(0);
  }
});

it('tells everything with the node that it is of', async () => {
  const text = await allMetrics().registry.metrics();
  const samples = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  expect(samples.length).toBeGreaterThan(50);
  expect(samples.filter((line) => !line.includes('node="n1"'))).toEqual([]);
});

it('times jobs by what became of them', async () => {
  const metrics = new Metrics();
  const perform = metrics.timed('deliver', (what: 'done' | 'again' | 'failed') => {
    if (what === 'failed') return Promise.reject(new Error('no'));
    return Promise.resolve(what === 'again' ? { againAt: 1 } : undefined);
  });
  await perform('done');
  expect(await perform('again')).toEqual({ againAt: 1 });
  await expect(perform('failed')).rejects.toThrow('no');
  const text = await metrics.registry.metrics();
  for (const outcome of ['done', 'again', 'failed']) expect(text).toContain(`conus_job_seconds_count{kind="deliver",outcome="${outcome}"} 1`);
});

it('tells of jobs what the queue tells, and nothing where it tells nothing', async () => {
  const metrics = new Metrics();
  let isAway = false;
  const figures = { kind: 'synthesise', waiting: 3, active: 1, delayed: 2, dead: 4, oldestAt: undefined, tally: { done: 5, failed: 6, dead: 7, cancelled: 8 } };
  metrics.watchJobs(() => (isAway ? Promise.reject(new Error('away')) : Promise.resolve([figures])));
  const there = await metrics.registry.metrics();
  for (const line of ['conus_jobs{kind="synthesise",state="dead"} 4', 'conus_job_oldest_seconds{kind="synthesise"} 0', 'conus_jobs_ended_total{kind="synthesise",outcome="failed"} 6']) expect(there).toContain(line);
  isAway = true;
  const away = await metrics.registry.metrics();
  expect(away).toContain('conus_sessions_open 0');
  expect(away).not.toContain('conus_jobs{');
});

it('counts calls of the storage, their bytes and their failures', async () => {
  const metrics = new Metrics();
  metrics.storageCalled('put', 20, 1000);
  metrics.storageCalled('put', 20, 1000, 'STORAGE_ERR_AWAY');
  const text = await metrics.registry.metrics();
  for (const line of ['conus_storage_seconds_count{operation="put"} 2', 'conus_storage_bytes_total{operation="put"} 1000', 'conus_storage_errors_total{operation="put",code="STORAGE_ERR_AWAY"} 1']) expect(text).toContain(line);
});

it('follows the conventions of Prometheus: a unit in the name of what has one, _total for what only grows', async () => {
  for (const { name, type, help } of await metricFacts()) {
    expect(name).toMatch(/^conus_[a-z_]+$/);
    expect(name.endsWith('_total'), name).toBe(type === 'counter');
    expect(help, name).toMatch(/\.$/);
    expect(name, name).not.toMatch(/_(ms|milliseconds|minutes|mebibytes|percent)/);
  }
});

it('is written down in docs/metrics.md', async () => {
  const rows = (await metricFacts()).map(({ name, type, labels, help }) => `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(', ')} | ${help} |`);
  const page = await readFile(new URL('../../docs/metrics.md', import.meta.url), 'utf8');
  expect(page.split('\n').filter((line) => line.startsWith('| `conus_'))).toEqual(rows);
});
