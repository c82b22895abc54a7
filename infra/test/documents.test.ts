import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SETTINGS_TABLE } from '../../services/gateway/src/config.ts';
import { runCommand } from '../../services/gateway/test/support/clients.ts';
import { ROOT } from '../../services/gateway/test/support/program.ts';

const read = (file: string) => readFile(join(ROOT, file), 'utf8');

/** The lines between fences, each of them a command. */
function commandsIn(document: string): readonly string[] {
  return [...document.matchAll(/^```\n([\s\S]*?)^```$/gm)].flatMap(([, block = '']) => block.trimEnd().split('\n'));
}

describe('docs/operations.md', () => {
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
