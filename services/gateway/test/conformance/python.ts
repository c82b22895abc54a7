import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { awsEnvironment, makeFolder, pythonProgram, runCommand } from '../support/clients.ts';
import { ROOT } from '../support/program.ts';
import type { Key } from '../support/signature.ts';
import type { Tusk } from '../support/tusk.ts';

const FOLDER = join(ROOT, 'services/gateway/test/conformance');

/** One test for each behaviour of a Python script beside this file; the script itself runs once, before them. */
export function itBehaves(script: string, setUp: { readonly tusk: () => Tusk; readonly key?: Key | undefined }): void {
  let outcomes: Readonly<Record<string, string | null>> = {};

  beforeAll(async () => {
    const folder = await makeFolder();
    const { url, pachdAddress } = setUp.tusk();
    const { code, stdout, stderr } = await runCommand(pythonProgram('python'), [join(FOLDER, script)], {
      env: {
        ...awsEnvironment(folder.path, setUp.key),
        ENDPOINT: new URL(url).host,
        PACHD: pachdAddress,
        PACHD_TOKEN: setUp.key?.secretKey,
        PYTHONDONTWRITEBYTECODE: '1',
      },
      cwd: folder.path,
    });
    await folder.remove();
    if (code !== 0) throw new Error(`${script} ended with ${code}:\n${stdout}${stderr}`);
    outcomes = JSON.parse(stdout) as typeof outcomes;
  });

  it.each(behavioursOf(script, setUp.key !== undefined))('%s', (name) => {
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
