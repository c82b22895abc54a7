import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readConfig, SETTINGS_TABLE } from '../../services/gateway/src/config.ts';
import { runCommand } from '../../services/gateway/test/support/clients.ts';
import { ROOT } from '../../services/gateway/test/support/program.ts';
import { startRedis } from '../../services/gateway/test/support/redis.ts';

const read = (file: string) => readFile(join(ROOT, file), 'utf8');

/** The lines between fences, each of them a command where the fence names no language. */
function commandsIn(document: string): readonly string[] {
  return [...document.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].flatMap(([, language, block = '']) =>
    language === '' ? block.trimEnd().split('\n') : [],
  );
}

describe('docs/security.md', () => {
  it('makes a secret that is taken', async () => {
    const command = /^```sh\n(.*)\n```$/m.exec(await read('docs/security.md'))?.[1] ?? '';
    const { code, stdout } = await runCommand('sh', ['-c', command]);
    expect(code).toBe(0);
    const env = { TUSK_REDIS_URL: 'redis://127.0.0.1', TUSK_CACHE_SECRET: stdout.trim() };
    expect(readConfig(env).cacheSecret).toMatch(/^[0-9a-f]{64}$/);
  });
});

describe('docs/operations.md', () => {
  it('has settings that Redis takes', async () => {
    const lines = /^```conf\n([\s\S]*?)^```$/m.exec(await read('docs/operations.md'))?.[1] ?? '';
    const settings = Object.fromEntries(
      [...lines.matchAll(/^([a-z-]+) (\S+)$/gm)].map(([, name, value]) => [name, value]),
    );
    const redis = await startRedis({ settings });
    try {
      for (const [name, value] of Object.entries(settings)) {
        const taken = (await redis.cli('config', 'get', name)).split('\n')[1];
        expect(taken).toBe(value === '1gb' ? String(2 ** 30) : value);
      }
    } finally {
      await redis.stop();
    }
  });

  it('has commands that work', async () => {
    const commands = commandsIn(await read('docs/operations.md'));
    const { scripts } = JSON.parse(await read('package.json'));
    const seen = new Set<string>();
    for (const command of commands) {
      const [program = ''] = command.replace(/^[A-Z_]+=\S+\([^)]*\) /, '').split(' ');
      seen.add(program);
      switch (program) {
        case 'npm':
          expect(Object.keys(scripts)).toContain(command.split(' ')[2]);
          break;
        case 'haproxy':
          expect((await runCommand('sh', ['-c', command])).code).toBe(0);
          break;
        case 'helm': {
          // What would be sent to a cluster, without one.
          const dry = command.replace(
            'helm install',
            `${join(ROOT, '.cache/bin/helm')} template --kube-version 1.37.0`,
          );
          const { code, stdout, stderr } = await runCommand('sh', ['-c', dry]);
          expect(code, stderr).toBe(0);
          expect(stdout).toContain('kind: Deployment');
          break;
        }
        // These need a Docker engine, a cluster or a running fleet; test/cluster.test.ts and manifests.test.ts say what can be said without.
        case 'docker':
        case 'kubectl':
        case 'aws':
          break;
        default:
          throw new Error(`nobody tests ${command}`);
      }
    }
    expect(seen).toEqual(new Set(['npm', 'docker', 'aws', 'kubectl', 'helm', 'haproxy']));
  });

  it('names settings, files and values that there are', async () => {
    const document = await read('docs/operations.md');
    const settings = SETTINGS_TABLE.map(({ name }) => name);
    for (const [name] of document.matchAll(/TUSK_[A-Z_]+/g)) expect(settings).toContain(name);
    const [config, values] = [await read('infra/haproxy/haproxy.cfg'), await read('infra/k8s/tusk/values.yaml')];
    for (const [name] of document.matchAll(/S3_[A-Z_]+/g)) expect(config).toContain(`\${${name}-`);
    for (const name of [
      'autoscaling',
      'serviceMonitor',
      'prometheusRule',
      'grafanaDashboard',
      'podDisruptionBudget',
      'networkPolicy',
      'settings',
      'drainMs',
    ]) {
      expect(values).toMatch(new RegExp(`^${name}:`, 'm'));
    }
    for (const [, file = ''] of document.matchAll(/`((?:infra|docs)\/[\w./-]+)`/g)) await read(file);
  });
});
