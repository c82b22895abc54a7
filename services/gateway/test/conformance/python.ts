import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { awsEnvironment, makeFolder, pythonProgram, runCommand } from '../support/clients.ts';
import { ROOT } from '../support/program.ts';
import type { Key } from '../support/signature.ts';
import type { Tusk } from '../support/tusk.ts';

const FOLDER = join(ROOT, 'services/gateway/test/conformance');

export interface PythonSetUp {
  /** Whether the client signs; some behaviours are of those that do alone. */
  readonly signed: boolean;
  /** What is known only when the gateway runs. */
  readonly gateway: () => { readonly tusk: Tusk; readonly key: Key | undefined };
  readonly env?: Readonly<Record<string, string>>;
  /** The virtual environment; left out: that of every run. */
  readonly venv?: string;
}

/** One test for each behaviour of a Python script beside this file; the script itself runs once, before them. */
export function itBehaves(script: string, { signed, gateway, env = {}, venv = 'venv' }: PythonSetUp): void {
  let outcomes: Readonly<Record<string, string | null>> = {};

  beforeAll(async () => {
    const folder = await makeFolder();
    const { tusk, key } = gateway();
    const { code, stdout, stderr } = await runCommand(pythonProgram('python', venv), [join(FOLDER, script)], {
      env: {
        ...awsEnvironment(folder.path, key),
        ENDPOINT: new URL(tusk.url).host,
        SCHEME: new URL(tusk.url).protocol.slice(0, -1),
        PACHD: tusk.pachdAddress,
        PACHD_TOKEN: key?.secretKey,
        PYTHONDONTWRITEBYTECODE: '1',
        ...env,
      },
      cwd: folder.path,
    });
    await folder.remove();
    if (code !== 0) throw new Error(`${script} ended with ${code}:\n${stdout}${stderr}`);
    outcomes = JSON.parse(stdout) as typeof outcomes;
  });

  it.each(behavioursOf(script, signed))('%s', (name) => {
    expect(outcomes, `${script} has no such behaviour`).toHaveProperty([name]);
    expect(outcomes[name]).toBeNull();
  });
}

// Those that are indented stand in a block for clients that sign.
function behavioursOf(script: string, signed: boolean): readonly string[] {
  const source = readFileSync(join(FOLDER, script), 'utf8');
  return [...source.matchAll(/^( *)@behaviour\("(.*)"\)$/gm)]
    .filter(([, indent]) => signed || indent === '')
    .map(([, , name]) => name as string);
}
