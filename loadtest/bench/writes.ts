// `npm run bench -- writes [HOST:PORT] [WORDS]`: what gathering writes into commits gains over a commit for each (TUSK_WRITE_BATCH=off), in
// turns; WORDS choose parts, as in "idle sync".
import { median } from './figures.ts';
import { type Gateways, MODES, type Mode, withGateways } from './writes-gateways.ts';
import { idlePut, type Load, putAtOnce } from './writes-load.ts';
import { createFileSets, uploadInParts } from './writes-multipart.ts';
import { measureOutsider } from './writes-outsider.ts';
import { type Synced, syncUp } from './writes-sync.ts';

const TURNS = 3;
const IDLE_PUTS = 5;
const CLIENTS = [10, 64, 256];
const LOAD_SECONDS = 20;
const MANY = 10_000;
/** Finishing a commit takes longer the more files the branch has. */
const IDLE_FILES = [0, 10_000];
/** With a commit for each file, all of them would take hours: so a hundred, on a branch that has as many as there are on average. */
const SYNC_FILES = { on: 10_000, off: 100, offBefore: 5_000 };
const LARGE_BYTES = 100_000_000;
const UPLOADS = 5;
const OUTSIDER_STREAMS = 10;

const PARTS: Readonly<Record<string, (gateways: Gateways) => Promise<void>>> = {
  async idle(gateways) {
    for (const files of IDLE_FILES) await reportIdle(gateways, files);
  },
  async load(gateways) {
    for (const clients of CLIENTS) await reportLoad(gateways, clients);
    const { commits, perSecond, p50Ms, p99Ms } = await putAtOnce(gateways.on, 64, { objects: MANY });
    const pace = `${perSecond.toFixed(1)}/s, p50 ${p50Ms.toFixed(0)} ms, p99 ${p99Ms.toFixed(0)} ms`;
    console.log(`${MANY} PUTs by 64 clients: ${commits} commits; ${pace}`);
  },
  multipart: reportMultipart,
  outsider: reportOutsider,
  sync: reportSync,
};

/** Prints the figures of docs/performance.md. @param words a pachd as HOST:PORT, devpachd without it; and parts, all without them */
export async function reportWrites(words: readonly string[]): Promise<void> {
  const pachd = words.find((word) => word.includes(':'));
  const parts = words.filter((word) => word !== pachd);
  const unknown = parts.find((part) => PARTS[part] === undefined);
  if (unknown !== undefined) throw new RangeError(`${unknown} is none of ${Object.keys(PARTS).join(', ')}`);
  console.log(`Writes on ${pachd ?? 'devpachd --latency real'}, one worker; a commit for each: TUSK_WRITE_BATCH=off`);
  await withGateways(pachd, async (gateways) => {
    for (const [name, report] of Object.entries(PARTS)) {
      if (parts.length === 0 || parts.includes(name)) await report(gateways);
    }
  });
}

/** Measures both in turns, so that whatever else the machine does meets both. */
async function inTurns<T>(turns: number, measure: (mode: Mode) => Promise<T>): Promise<Readonly<Record<Mode, T[]>>> {
  const found: Record<Mode, T[]> = { on: [], off: [] };
  for (let turn = 0; turn < turns; turn++) {
    for (const mode of MODES) found[mode].push(await measure(mode));
  }
  return found;
}

async function reportIdle(gateways: Gateways, files: number): Promise<void> {
  const { on, off } = await inTurns(TURNS, (mode) => idlePut(gateways[mode], IDLE_PUTS, files));
  const [gathered, each] = [median(on), median(off)];
  const ratio = (gathered / each).toFixed(2);
  console.log(
    `a PUT on an idle branch of ${files} files: ${gathered.toFixed(0)} ms; a commit for each ${each.toFixed(0)} ms; ratio ${ratio}`,
  );
}

async function reportLoad(gateways: Gateways, clients: number): Promise<void> {
  const { on, off } = await inTurns(TURNS, (mode) => putAtOnce(gateways[mode], clients, { seconds: LOAD_SECONDS }));
  const [gathered, each] = [middle(on), middle(off)];
  const ratio = (gathered.perSecond / each.perSecond).toFixed(1);
  console.log(`${clients} clients of one branch: ${told(gathered)}; a commit for each ${told(each)}; ratio ${ratio}`);
}

function middle(loads: readonly Load[]): Load {
  const of = (pick: (load: Load) => number) => median(loads.map(pick));
  return {
    perSecond: of((load) => load.perSecond),
    p50Ms: of((load) => load.p50Ms),
    p99Ms: of((load) => load.p99Ms),
    slowDowns: of((load) => load.slowDowns),
    commits: of((load) => load.commits),
  };
}

function told({ perSecond, p50Ms, p99Ms, slowDowns }: Load): string {
  const refused = slowDowns === 0 ? '' : `, ${slowDowns} times SlowDown`;
  return `${perSecond.toFixed(1)}/s, p50 ${p50Ms.toFixed(0)} ms, p99 ${p99Ms.toFixed(0)} ms${refused}`;
}

async function reportMultipart({ on }: Gateways): Promise<void> {
  const [ours, bare]: [number[], number[]] = [[], []];
  for (let turn = 0; turn <= UPLOADS; turn++) {
    const [oursMs, bareMs] = [await uploadInParts(on, LARGE_BYTES), await createFileSets(on, LARGE_BYTES)];
    // The first turn warms both up.
    if (turn === 0) continue;
    ours.push(oursMs);
    bare.push(bareMs);
  }
  const ratio = (median(ours) / median(bare)).toFixed(2);
  const figures = `${median(ours).toFixed(0)} ms; bare CreateFileSet calls ${median(bare).toFixed(0)} ms; ratio ${ratio}`;
  console.log(`100 MB in parts of 8 MiB, ten at once: ${figures}`);
}

async function reportOutsider({ on }: Gateways): Promise<void> {
  const { besideTuskMs, besideCommitsMs, commitsPerSecond } = await measureOutsider(on, OUTSIDER_STREAMS);
  const others = `beside as many commits by pachd's own calls ${besideCommitsMs.toFixed(0)} ms`;
  const ours = `${besideTuskMs.toFixed(0)} ms beside 64 clients of tusk (${commitsPerSecond.toFixed(1)} commits/s)`;
  console.log(
    `an outsider's ModifyFile of 1 MiB: ${ours}, ${others}; ratio ${(besideTuskMs / besideCommitsMs).toFixed(2)}`,
  );
}

async function reportSync(gateways: Gateways): Promise<void> {
  const each = await syncUp(gateways.off, SYNC_FILES.off, 'branch', SYNC_FILES.offBefore);
  const gathered = await syncUp(gateways.on, SYNC_FILES.on, 'branch', 0);
  const open = await syncUp(gateways.on, SYNC_FILES.on, 'open commit', 0);
  const told = ({ fileMs, finishMs }: Synced) => {
    const times = (each.fileMs / fileMs).toFixed(1);
    return `${fileMs.toFixed(1)} ms a file (${times} times as fast), finished ${(finishMs / 1_000).toFixed(1)} s after it`;
  };
  console.log(`aws s3 sync of ${SYNC_FILES.on} files of 4 KiB: ${told(gathered)}; into an open commit ${told(open)}`);
  console.log(
    `  a commit for each: ${each.fileMs.toFixed(0)} ms a file (${SYNC_FILES.off} files on ${SYNC_FILES.offBefore})`,
  );
}
