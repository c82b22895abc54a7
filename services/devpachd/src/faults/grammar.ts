/** What is to go wrong, and where: `METHOD [before|after] ACTION [once|times N]`, or `disk full [after BYTES]`. */
export type Fault = CallFault | DiskFault;

export interface CallFault {
  readonly kind: 'call';
  /** `Method`, `package.Service/Method`, or `*`: every call of pachd's services. */
  readonly method: string;
  /** Of what the call does to the store; of a call that only reads, of its first and after its last message. */
  readonly when: 'before' | 'after';
  readonly action: Action;
  readonly times: number;
}

export type Action =
  | { readonly kind: 'delay'; readonly ms: number }
  | { readonly kind: 'error'; readonly code: string; readonly message: string }
  /** The client's connection is gone, and with it all other calls of it. */
  | { readonly kind: 'cut' }
  /** The process is gone, as by SIGKILL. */
  | { readonly kind: 'die' };

export interface DiskFault {
  readonly kind: 'disk';
  /** So much content is still taken. */
  readonly freeBytes: number;
}

const FAULT_USAGE =
  "METHOD [before|after] delay MS|error CODE ['TEXT']|cut|die [once|times N], or disk full [after BYTES]";

const CALL =
  /^(\*|[\w.]+(?:\/\w+)?)(?: (before|after))? (?:delay (\d{1,6})|error ([A-Z_]+)(?: '([^']*)')?|(cut)|(die))(?: (?:(once)|times (\d{1,6})))?$/;
const DISK = /^disk full(?: after (\d{1,15}))?$/;

/** Throws an error that names the rule. */
export function parseFault(text: string): Fault {
  const rule = text.trim().replace(/\s+/g, ' ');
  const disk = DISK.exec(rule);
  if (disk) return { kind: 'disk', freeBytes: Number(disk[1] ?? 0) };
  const [, method, when, ms, code, message, cut, die, once, times] = CALL.exec(rule) ?? [];
  if (method === undefined) throw new Error(`--fault must be ${FAULT_USAGE}, not "${text}"`);
  return {
    kind: 'call',
    method,
    when: when === 'after' ? 'after' : 'before',
    action: actionOf({ ms, code, message, cut, die }, rule),
    times: once ? 1 : times === undefined ? Number.POSITIVE_INFINITY : Number(times),
  };
}

/** Several rules, one after the other with semicolons between, as an environment variable holds them. */
export function parseFaults(text: string): readonly Fault[] {
  return text
    .split(';')
    .filter((rule) => rule.trim() !== '')
    .map(parseFault);
}

interface ActionWords {
  readonly ms: string | undefined;
  readonly code: string | undefined;
  readonly message: string | undefined;
  readonly cut: string | undefined;
  readonly die: string | undefined;
}

function actionOf({ ms, code, message, cut, die }: ActionWords, rule: string): Action {
  if (ms !== undefined) return { kind: 'delay', ms: Number(ms) };
  if (code !== undefined) return { kind: 'error', code, message: message ?? `injected fault: ${rule}` };
  if (cut) return { kind: 'cut' };
  if (die) return { kind: 'die' };
  throw new Error(`"${rule}" has no action`);
}
