// Dashboards and alerts ask only for what a gateway tells, and alerts come when they should.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { FAMILIES } from '../../services/gateway/src/telemetry/metrics.ts';
import { runCommand } from '../../services/gateway/test/support/clients.ts';
import { ROOT } from '../../services/gateway/test/support/program.ts';

const RULES = 'infra/prometheus/rules.yaml';
const DASHBOARD = 'infra/grafana/tusk.json';
/** What a scraper adds. */
const SCRAPED = ['job', 'instance'];

interface Rule {
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
}

const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');
const rules = (parse(read(RULES)) as { groups: readonly { rules: readonly Rule[] }[] }).groups.flatMap(
  (group) => group.rules,
);
const panels = (
  JSON.parse(read(DASHBOARD)) as {
    panels: readonly { id: number; title: string; targets?: readonly { expr: string }[] }[];
  }
).panels;
const exprs = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));

/** The samples of all metrics, with their labels. */
const samples = new Map<string, readonly string[]>(
  FAMILIES.flatMap(({ name, kind, labels }) =>
    kind === 'histogram'
      ? [
          [`${name}_bucket`, [...labels, 'le']],
          [`${name}_sum`, labels],
          [`${name}_count`, labels],
        ]
      : [[name, labels]],
  ),
);

/** What an expression asks for that is not there: metrics, and labels that they do not have. */
function unknownIn(expr: string): readonly string[] {
  const names = [...expr.matchAll(/\btusk_[a-z0-9_]+\b/g)].map(([name]) => name);
  const known = names.flatMap((name) => samples.get(name) ?? []);
  const selected = [...expr.matchAll(/([a-z_]+)\s*(?:=~|!~|!=|=)\s*"/g)].map(([, label = '']) => label);
  const grouped = [...expr.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, labels = '']) => labels.split(/\s*,\s*/));
  return [
    ...names.filter((name) => !samples.has(name)),
    ...[...selected, ...grouped].filter((label) => !known.includes(label) && !SCRAPED.includes(label)),
  ];
}

describe('the alerts', () => {
  it('ask only for metrics and labels that are there', () => {
    const recorded = new Set(rules.map(({ record }) => record));
    for (const { expr } of rules) {
      const ofOurs = [...expr.matchAll(/\btusk:[a-z0-9_:]+/g)].map(([name]) => name);
      expect(ofOurs.filter((name) => !recorded.has(name))).toEqual([]);
      if (ofOurs.length === 0) expect(expr).toMatch(/\btusk_/);
      expect(unknownIn(expr), expr).toEqual([]);
    }
  });

  it('come when they should, and not before', async () => {
    const checked = await runCommand('promtool', ['check', 'rules', '--lint=all', RULES]);
    expect(checked, checked.stdout + checked.stderr).toMatchObject({ code: 0 });
    const tested = await runCommand('promtool', ['test', 'rules', 'infra/prometheus/rules.test.yaml']);
    expect(tested, tested.stdout + tested.stderr).toMatchObject({ code: 0 });
  });

  it('are tested each', () => {
    const tested = read('infra/prometheus/rules.test.yaml');
    for (const { alert } of rules) if (alert !== undefined) expect(tested).toContain(`alertname: ${alert}`);
  });
});

describe('the dashboard', () => {
  it('asks only for metrics and labels that are there', () => {
    expect(exprs.length).toBeGreaterThan(40);
    for (const expr of exprs) expect(unknownIn(expr), expr).toEqual([]);
  });

  it('shows every metric, but for bytes by bucket', () => {
    const shown = exprs.join('\n');
    for (const { name } of FAMILIES) if (name !== 'tusk_bucket_bytes_total') expect(shown).toContain(name);
  });

  it('is made of expressions that Prometheus can read', async () => {
    const file = JSON.stringify({
      groups: [
        {
          name: 'dashboard',
          rules: exprs.map((expr, at) => ({
            record: `panel:${at}`,
            expr: expr.replaceAll('$__rate_interval', '5m'),
          })),
        },
      ],
    });
    const checked = await runCommand('sh', [
      '-c',
      'printf %s "$0" | promtool check rules --lint=none /dev/stdin',
      file,
    ]);
    expect(checked, checked.stdout + checked.stderr).toMatchObject({ code: 0 });
  });

  it('has a place of its own for each panel', () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  });
});
