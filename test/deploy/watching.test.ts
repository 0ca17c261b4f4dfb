import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { documentedCodes } from '../../src/errors.js';
import { asked, toldLabels } from './metricNames.js';
import { metricFacts } from '../src/allMetrics.js';

const fileAt = (path: string) => fileURLToPath(new URL(`../../deploy/${path}`, import.meta.url));

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string; readonly legendFormat?: string; readonly datasource: { readonly uid: string } }[];
}
interface Dashboard {
  readonly schemaVersion: number;
  readonly uid: string;
  readonly templating: { readonly list: readonly { readonly name: string; readonly type: string }[] };
  readonly panels: readonly Panel[];
}
const dashboard = JSON.parse(readFileSync(fileAt('grafana/conus.json'), 'utf8')) as Dashboard;
const { panels } = dashboard;
const targets = panels.flatMap((panel) => (panel.targets ?? []).map((target) => ({ ...target, panel: panel.title })));

describe('the dashboard', () => {
  it('asks for metrics and labels that there are, on the data source and of the nodes that were chosen', async () => {
    const told = await toldLabels();
    expect(targets.length).toBeGreaterThan(30);
    for (const { expr, panel, datasource } of targets) {
      expect(datasource.uid).toBe('${datasource}');
      const metrics = asked(expr);
      expect(metrics.length, panel).toBeGreaterThan(0);
      for (const { metric, labels } of metrics) {
        expect([...told.keys()], panel).toContain(metric);
        expect(labels, `${panel}: ${metric}`).toContain('node');
        for (const label of labels) expect([...told.get(metric)!], `${panel}: ${metric}`).toContain(label);
      }
    }
  });

  it('names only labels in its legends that its expressions leave', () => {
    for (const { expr, legendFormat = '', panel } of targets) {
      const grouped = /\bby \(([^)]*)\)/.exec(expr)?.[1]?.split(',').map((label) => label.trim());
      const labels = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label!);
      for (const label of labels) expect(grouped ?? ['node'], panel).toContain(label);
    }
  });

  it('shows every metric of ours somewhere', async () => {
    const shown = new Set(targets.flatMap(({ expr }) => asked(expr).map(({ metric }) => metric.replace(/_(bucket|sum|count)$/, ''))));
    const hidden = (await metricFacts()).map(({ name }) => name).filter((name) => !shown.has(name));
    expect(hidden).toEqual(['conus_images_total', 'conus_readouts_total', 'conus_sessions_not_kept_total']);
  });

  it('is laid out: ids of their own, rows for each subject, nothing over anything else', () => {
    expect(dashboard.schemaVersion).toBeGreaterThanOrEqual(39);
    expect(dashboard.templating.list.map(({ name }) => name)).toEqual(['datasource', 'node']);
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    expect(panels.filter(({ type }) => type === 'row').map(({ title }) => title)).toEqual(['Scans', 'Latency', 'Jobs', 'Delivery', 'Models', 'Storage and records', 'Nodes']);
    const taken = new Set<string>();
    for (const { gridPos: { x, y, w, h }, title } of panels) {
      expect(x + w, title).toBeLessThanOrEqual(24);
      for (let row = y; row < y + h; row++) {
        for (let column = x; column < x + w; column++) {
          expect(taken.has(`${row} ${column}`), title).toBe(false);
          taken.add(`${row} ${column}`);
        }
      }
    }
  });
});

describe('the alerts', () => {
  const rules = (parse(readFileSync(fileAt('prometheus/alerts.yml'), 'utf8')) as { groups: { rules: { alert: string; expr: string; labels: { severity: string }; annotations: Record<string, string> }[] }[] }).groups.flatMap((group) => group.rules);

  it('ask for metrics and labels that there are, and say what is wrong', async () => {
    const told = await toldLabels();
    expect(rules.map(({ alert }) => alert)).toEqual(expect.arrayContaining(['ConusNodeGone', 'ConusNoRoom', 'ConusDeadLetters', 'ConusOldestJob', 'ConusModelRefused']));
    for (const { alert, expr, labels, annotations } of rules) {
      const metrics = asked(expr);
      expect(metrics.length, alert).toBeGreaterThan(0);
      for (const { metric, labels: braces } of metrics) {
        expect([...told.keys()], alert).toContain(metric);
        for (const label of braces) expect([...told.get(metric)!], alert).toContain(label);
      }
      expect(['critical', 'warning']).toContain(labels.severity);
      expect(annotations['summary'], alert).toBeTruthy();
      expect(annotations['description'], alert).toBeTruthy();
    }
  });

  it('name codes that there are', () => {
    const known = new Set(documentedCodes.map(({ code }) => code));
    for (const { annotations } of rules) {
      for (const [code] of annotations['description']!.matchAll(/\b(?:CONUS|MODEL|SPOOL|JOB)_(?:ERR|WARN)_\w+/g)) expect([...known]).toContain(code);
    }
  });

  const hasPromtool = spawnSync('promtool', ['--version']).error === undefined;
  it.skipIf(!hasPromtool)('pass the checks of Prometheus', () => {
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'rules', fileAt('prometheus/alerts.yml')], { encoding: 'utf8' });
    expect([status, stderr], stdout).toEqual([0, '']);
  });
});
