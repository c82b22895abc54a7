import { cpSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../../support/program.ts';
import type { FleetOptions } from './fleet.ts';
import type { FleetHistoryOptions } from './history.ts';

interface Edit {
  /** Below services/gateway/src, without its ending. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/** A build in which one rule is left out. */
export interface Mutant extends Edit {
  readonly rule: string;
  /** What only spares work, and hides that the rule is missing: it is left out of the build with the rule, too. */
  readonly hiddenBy?: readonly Edit[];
  /** Where it is soon seen that it is missing. */
  readonly conditions: Pick<FleetOptions, 'headTtlMs' | 'lookDelaysMs' | 'finishMs' | 'modifyDelayMs'>;
  readonly faults: false | RegExp;
  readonly outsider: boolean;
  readonly work: NonNullable<FleetHistoryOptions['work']>;
}

const SCRIPTS = 'cache/branch-scripts';
const BRANCHES = 'cache/branches-redis';

/** The rules of docs/architecture.md, "Which commit a branch means" and "Writes", each left out of one of them. */
export const MUTANTS: readonly Mutant[] = [
  {
    rule: 'a state is stored only if nothing was written since its look-up began',
    file: SCRIPTS,
    find: ` or redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end`,
    replace: ' then return 0 end',
    conditions: { headTtlMs: 150, lookDelaysMs: [40, 40], finishMs: 0 },
    faults: false,
    outsider: false,
    work: 'plain',
  },
  {
    rule: 'a stored state refuses the slower look-ups',
    file: SCRIPTS,
    find: `redis.call('SET', KEYS[1], ARGV[3], 'PX', \${NONCE_MS})\nreturn 1`,
    replace: 'return 1',
    hiddenBy: [
      { file: SCRIPTS, find: 'then looks = 0 end', replace: 'then looks = 1 end' },
      { file: 'pachd/hedge', find: 'second = hedge.again();', replace: '' },
    ],
    conditions: { headTtlMs: 400, lookDelaysMs: [260, 10], finishMs: 0 },
    faults: false,
    outsider: true,
    work: 'watch',
  },
  {
    rule: 'a publication refuses the look-ups that began before it',
    file: SCRIPTS,
    find: `redis.call('SET', KEYS[1], ARGV[2], 'PX', \${NONCE_MS})`,
    replace: '',
    conditions: { headTtlMs: 150, lookDelaysMs: [40, 40], finishMs: 0 },
    faults: false,
    outsider: false,
    work: 'plain',
  },
  {
    rule: 'a publication goes into the state that is known, or makes it forgotten',
    file: SCRIPTS,
    find: `if h[1] == ARGV[3] then`,
    replace: 'if true then elseif h[1] == ARGV[3] then',
    conditions: { headTtlMs: 1_000, lookDelaysMs: [0, 0], finishMs: 0 },
    faults: false,
    outsider: false,
    work: 'plain',
  },
  {
    rule: 'an invalidation refuses the look-ups that began before it',
    file: SCRIPTS,
    find: `redis.call('SET', KEYS[1], ARGV[1], 'PX', \${NONCE_MS})\nredis.call('DEL', KEYS[2])`,
    replace: `redis.call('DEL', KEYS[2])`,
    conditions: { headTtlMs: 150, lookDelaysMs: [40, 40], finishMs: 0 },
    faults: false,
    outsider: true,
    work: 'plain',
  },
  {
    rule: 'a state is read only with the deltas of all its pending commits',
    file: BRANCHES,
    find: 'state: there.size === known.pending.length ? known : undefined',
    replace: 'state: known',
    conditions: { headTtlMs: 1_500, lookDelaysMs: [0, 0], finishMs: 200 },
    faults: /forgets some/,
    outsider: false,
    work: 'plain',
  },
  {
    rule: 'a read that is on its way is joined by nobody',
    file: BRANCHES,
    find: `reading.delete(branch);\n                    outsideSpans(() => readNow(branch)).then(`,
    replace: 'outsideSpans(() => readNow(branch)).finally(() => reading.delete(branch)).then(',
    conditions: { headTtlMs: 1_000, lookDelaysMs: [0, 0], finishMs: 0 },
    faults: /hears late/,
    outsider: false,
    work: 'plain',
  },
  {
    rule: 'while a head is judged no state with another head is stored',
    file: SCRIPTS,
    find: `if pinned and pinned ~= ARGV[6] then return 0 end`,
    replace: '',
    conditions: { headTtlMs: 150, lookDelaysMs: [40, 40], finishMs: 0, modifyDelayMs: 60 },
    faults: false,
    outsider: true,
    work: 'conditional',
  },
  {
    rule: 'a write is answered at once only if it is known that it was published',
    file: 'pfs/write/round',
    find: `if (error instanceof CacheLost)\n            return false;`,
    replace: `if (error instanceof CacheLost)\n            ;\n        else`,
    conditions: { headTtlMs: 1_500, lookDelaysMs: [0, 0], finishMs: 20 },
    faults: /:d:/,
    outsider: false,
    work: 'plain',
  },
  {
    rule: 'a write that could not be published is answered when nobody believes what was before',
    file: 'pfs/state',
    find: 'await setTimeout(Math.max(0, sinceMs + headTtlMs * TTL_PART - performance.now()));\n        }\n    };',
    replace: '}\n    };',
    conditions: { headTtlMs: 1_500, lookDelaysMs: [0, 0], finishMs: 20 },
    faults: /for long/,
    outsider: false,
    work: 'apart',
  },
  {
    rule: 'without Redis nothing is shown that others may not see yet',
    file: 'pfs/state',
    find: 'await setTimeout(Math.max(0, sinceMs + headTtlMs * TTL_PART - performance.now()));\n        return viewOf',
    replace: 'return viewOf',
    conditions: { headTtlMs: 1_500, lookDelaysMs: [0, 0], finishMs: 20 },
    faults: /for long/,
    outsider: false,
    work: 'apart',
  },
  {
    rule: 'a commit is published only if it stands on the head that was judged',
    file: 'pfs/write/commit',
    find: 'head.parentId === looked.headId && head.oneOff',
    replace: 'head.oneOff',
    conditions: { headTtlMs: 150, lookDelaysMs: [40, 40], finishMs: 0, modifyDelayMs: 60 },
    faults: false,
    outsider: true,
    work: 'conditional',
  },
];

/** Makes a copy of this build, with a rule or without it. @returns its folder @throws when there is not just one place to leave it out of */
export function buildMutant(mutant: Mutant, rule: 'with' | 'without'): string {
  const root = mkdtempSync(join(tmpdir(), 'tusk-mutant-'));
  cpSync(join(ROOT, 'dist'), join(root, 'dist'), { recursive: true });
  for (const name of ['node_modules', 'package.json']) symlinkSync(join(ROOT, name), join(root, name));
  for (const hiding of mutant.hiddenBy ?? []) edit(root, hiding);
  if (rule === 'without') edit(root, mutant);
  return root;
}

function edit(root: string, change: Edit): void {
  const edited = editedSource(root, change);
  writeFileSync(pathOf(root, change), edited);
}

/** The file of a build with the change in it. @throws when there is not just one place for it */
export function editedSource(root: string, change: Edit): string {
  const source = readFileSync(pathOf(root, change), 'utf8');
  const { file, find, replace } = change;
  const places = source.split(find).length - 1;
  if (places !== 1) throw new Error(`${file} has ${places} places with: ${find}`);
  return source.replace(find, () => replace);
}

function pathOf(root: string, { file }: Edit): string {
  return join(root, 'dist', 'services', 'gateway', 'src', `${file}.js`);
}
