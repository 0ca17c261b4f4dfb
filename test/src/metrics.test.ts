import { expect, it } from 'vitest';
import { Metrics } from '../../src/metrics.js';
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
