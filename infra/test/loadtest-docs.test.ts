import { readFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { inspectScenario } from '../../loadtest/run/k6.ts';
import { readOrder, SCENARIOS } from '../../loadtest/run/options.ts';
import { ROOT } from '../../services/gateway/test/support/program.ts';

const KEYS = { target: 'http://127.0.0.1:1', accessKey: 'any', secretKey: 'any', cleans: false };

describe('docs/loadtest.md', () => {
  let document = '';
  beforeAll(async () => {
    document = await readFile(join(ROOT, 'docs/loadtest.md'), 'utf8');
    process.env['PATH'] = `${join(ROOT, '.cache/bin')}${delimiter}${process.env['PATH']}`;
  });

  it('has commands that are taken', async () => {
    const commands = [...document.matchAll(/^```\n([\s\S]*?)^```$/gm)].flatMap(([, block = '']) =>
      block.trimEnd().split('\n'),
    );
    const { scripts } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
    expect(commands.length).toBeGreaterThan(4);
    for (const command of commands) {
      const [, script = '', words = ''] = /^npm run (\w+) -- (.*)$/.exec(command) ?? [];
      expect(Object.keys(scripts)).toContain(script);
      if (script !== 'loadtest') continue;
      // Any file that is there stands for a report.
      const args = words.replaceAll(/\S+\.html/g, join(ROOT, 'package.json')).split(' ');
      expect(['run', 'compare']).toContain(readOrder(args).kind);
    }
  });

  it.each(SCENARIOS)('tells of %s what its script says', async (name) => {
    const { seconds, thresholds, users } = await inspectScenario(name, KEYS);
    const row = new RegExp(`^\\| \`${name}\` \\| (.*)$`, 'm').exec(document)?.[1] ?? '';
    expect(row).toContain(`${users}, ${seconds > 60 ? `${seconds / 60} min` : `${seconds} s`} | `);
    for (const [metric, texts] of Object.entries(thresholds)) {
      const operation = /^http_req_duration\{name:(\w+)\}$/.exec(metric)?.[1];
      if (operation !== undefined)
        expect(row).toContain(`${operation} ${texts.map((text) => `\`${text}\``).join(' ')}`);
    }
    expect(thresholds['checks']).toEqual(['rate==1']);
    const failed = { soak: 0.001, spike: 0.05 }[name] ?? 0.01;
    expect(thresholds['http_req_failed']).toEqual([`rate<${failed}`]);
    expect(document).toContain('and `http_req_failed` `rate<0.01` (`soak` 0.001, `spike` 0.05)');
  });
});
