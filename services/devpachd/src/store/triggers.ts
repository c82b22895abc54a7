import { moveBranch } from './branches.ts';
import { newId, parentOfCommit } from './commits.ts';
import type { Db } from './db.ts';
import { refused, within } from './errors.ts';
import { checkName, type RepoRef } from './names.ts';
import { propagate } from './propagate.ts';
import type { BranchRecord, CommitRecord, TriggerRecord } from './records.ts';
import { branchesOf, getRepo, repoById } from './repos.ts';
import { parseSchedule } from './schedule.ts';

const SIZE_UNITS = ['', 'k', 'm', 'g', 't', 'p'];

/** Bytes of `100`, `1.5 MB`, `2KiB`: the letter counts in thousands, whatever follows it. */
export function parseSize(text: string): number {
  const at = Math.max(...[...'0123456789. '].map((char) => text.lastIndexOf(char)));
  if (at < 0) throw refused(`invalid size: '${text}'`);
  const number = text.slice(0, text[at] === ' ' ? at : at + 1);
  const suffix = text.slice(at + 1).toLowerCase();
  if (!/^[+-]?(?:\d+\.?\d*|\.\d+)$/.test(number)) {
    throw refused(`strconv.ParseFloat: parsing "${number}": invalid syntax`);
  }
  if (Number(number) < 0) throw refused(`invalid size: '${text}'`);
  if (!/^(?:b?|[kmgtp](?:i?b)?)$/.test(suffix)) throw refused(`invalid suffix: '${suffix}'`);
  const power = Math.max(0, SIZE_UNITS.indexOf(suffix === 'b' ? '' : (suffix[0] ?? '')));
  return Math.trunc(Number(number) * 1000 ** power);
}

/** Throws for a trigger that could not fire, or would fire itself. `name`: of the branch that is to have it. */
export function checkTrigger(db: Db, repo: RepoRef, name: string, trigger: TriggerRecord): void {
  if (trigger.branch === '') throw refused('triggers must specify a branch to trigger on');
  checkName(trigger.branch);
  if (trigger.rateLimitSpec !== '') {
    within('invalid trigger rate limit spec', () => parseSchedule(trigger.rateLimitSpec));
  }
  if (trigger.size !== '') within('invalid trigger size', () => parseSize(trigger.size));
  if (trigger.commits < 0) throw refused("can't trigger on a negative number of commits");
  if (trigger.cronSpec !== '') within('invalid trigger cron spec', () => parseSchedule(trigger.cronSpec));
  const { id } = getRepo(db, repo);
  for (let at: string | undefined = trigger.branch; at !== undefined; at = db.branches.get([id, at])?.trigger?.branch) {
    if (at === name) throw refused('triggers cannot form a loop');
  }
}

/** Moves the branches that a finished commit triggers, and those that these trigger. Only inside a transaction. */
export function fireTriggers(db: Db, commit: CommitRecord): void {
  const branches = branchesOf(db, commit.repoId).filter(({ trigger }) => trigger);
  if (branches.length === 0) return;
  const setId = newId();
  /** What each branch has come to point to; undefined while it has not moved. */
  const moved = new Map<string, CommitRecord | undefined>([[commit.branch, commit]]);
  const visit = (name: string): CommitRecord | undefined => {
    if (moved.has(name)) return moved.get(name);
    moved.set(name, undefined);
    const branch = db.branches.get([commit.repoId, name]);
    const trigger = branch?.trigger;
    if (!branch || !trigger || trigger.cronSpec !== '') return undefined;
    if (!db.branches.get([commit.repoId, trigger.branch])) return undefined;
    const head = visit(trigger.branch);
    if (!head || head.id === branch.head) return undefined;
    const old = db.commits.get([commit.repoId, branch.head]);
    if (!isTriggered(db, trigger, old, head)) return undefined;
    moveTo(db, branch, head, setId);
    moved.set(name, head);
    return head;
  };
  for (const { name } of branches) visit(name);
}

function isTriggered(db: Db, trigger: TriggerRecord, old: CommitRecord | undefined, head: CommitRecord): boolean {
  const conditions: boolean[] = [];
  if (trigger.size !== '') conditions.push(head.sizeBytes - (old?.sizeBytes ?? 0) >= parseSize(trigger.size));
  if (trigger.rateLimitSpec !== '') {
    const due = parseSchedule(trigger.rateLimitSpec)(old?.finishing ?? 0);
    conditions.push(due === undefined || due < (head.finishing ?? 0));
  }
  if (trigger.commits !== 0) conditions.push(hasCommits(db, trigger.commits, old, head));
  return trigger.all ? conditions.every(Boolean) : conditions.some(Boolean);
}

/** Whether so many commits came after `old`. The empty commit that a branch begins with is none. */
function hasCommits(db: Db, wanted: number, old: CommitRecord | undefined, head: CommitRecord): boolean {
  let count = 0;
  for (let at = head; count < wanted; count++) {
    const parent = parentOfCommit(db, at);
    if (!parent) return at.origin !== 'auto' && count + 1 === wanted;
    if (at.id === old?.id) return false;
    at = parent;
  }
  return true;
}

const CLOCKS = 'branchesByClock';

/** Says that there are branches to be moved by a clock, so that all are looked at. Only inside a transaction. */
export function noteClock(db: Db, trigger: TriggerRecord | undefined): void {
  if (trigger?.cronSpec) db.meta.put(CLOCKS, 1);
}

/** The branches that follow another by a clock and are due. */
export function dueByClock(db: Db, now: number): readonly BranchRecord[] {
  if (db.meta.get(CLOCKS) === undefined) return [];
  return [...db.branches.getRange()].map(({ value }) => value).filter((branch) => nextTick(db, branch) <= now);
}

/** Moves a branch by the clock, if nobody has done so meanwhile. Only inside a transaction. */
export function tickBranch(db: Db, { repoId, name }: BranchRecord, now: number): void {
  const branch = db.branches.get([repoId, name]);
  if (!branch?.trigger || nextTick(db, branch) > now) return;
  const followed = db.branches.get([repoId, branch.trigger.branch]);
  const head = followed && db.commits.get([repoId, followed.head]);
  db.branches.put([repoId, name], { ...branch, tickedAt: now });
  const ticked = db.branches.get([repoId, name]);
  if (head && ticked) moveTo(db, ticked, head, newId());
}

function nextTick(db: Db, branch: BranchRecord): number {
  if (!branch.trigger?.cronSpec) return Number.POSITIVE_INFINITY;
  const started = db.commits.get([branch.repoId, branch.head])?.started ?? branch.createdAt;
  return parseSchedule(branch.trigger.cronSpec)(branch.tickedAt ?? started) ?? Number.POSITIVE_INFINITY;
}

function moveTo(db: Db, branch: BranchRecord, head: CommitRecord, setId: string): void {
  const repo = repoById(db, branch.repoId);
  if (!repo) return;
  propagate(db, moveBranch(db, repo, branch.name, head.id, branch.createdBy), setId, branch.createdBy);
}
