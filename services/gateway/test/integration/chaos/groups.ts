import { type Answer, send } from '../../support/http.ts';
import type { BranchName } from '../../support/pachd.ts';
import type { Outside } from '../outside.ts';

const FOLDER = 'groups/';
const OBJECTS = 4;
const PAUSE_MS = 100;

/** Puts groups of objects, one object after the other, and deletes each group by one DeleteObjects. Tries again what was not answered. */
export async function runGroups(url: string, bucket: string, name: string, goesOn: () => boolean): Promise<void> {
  for (let group = 0; goesOn(); group++) {
    const keys = Array.from({ length: OBJECTS }, (_, at) => `${FOLDER}${name}-${group}/${at}`);
    for (const key of keys) await untilDone(goesOn, () => send(url, 'PUT', `/${bucket}/${key}`, { body: key }));
    const body = `<Delete>${keys.map((key) => `<Object><Key>${key}</Key></Object>`).join('')}</Delete>`;
    const deleted = await untilDone(goesOn, () => send(url, 'POST', `/${bucket}`, { query: [['delete', null]], body }));
    if (deleted?.text.includes('<Error>')) throw new Error(`DeleteObjects: ${deleted.text}`);
  }
}

/** undefined: it is over before there is an answer. @throws when it is neither done nor refused for now */
async function untilDone(goesOn: () => boolean, ask: () => Promise<Answer>): Promise<Answer | undefined> {
  while (goesOn()) {
    const answer = await ask().catch(() => undefined);
    if (answer?.status === 200) return answer;
    if (answer !== undefined && answer.status !== 503 && answer.status !== 409) {
      throw new Error(`a group's request: ${answer.status} ${answer.text}`);
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  return undefined;
}

/**
 * The groups that a commit of a branch shows torn: with some of its objects, and a later one missing or an earlier one too soon. They
 * come one by one, and go all at once.
 */
export async function tornGroups(outside: Outside, branch: BranchName): Promise<readonly string[]> {
  const before = new Map<string, number>();
  const torn: string[] = [];
  for (const { commit, error } of [...(await outside.commits(branch))].reverse()) {
    if (commit === undefined || error !== '') continue;
    const counts = new Map<string, number>();
    for (const path of await outside.paths(branch, commit.id, `/${FOLDER}`)) {
      const group = path.slice(0, path.lastIndexOf('/'));
      const count = counts.get(group) ?? 0;
      if (path !== `${group}/${count}`) torn.push(`${path} in ${commit.id}, after ${count} others`);
      counts.set(group, count + 1);
    }
    for (const [group, count] of before) {
      const now = counts.get(group) ?? 0;
      if (now !== 0 && now < count) torn.push(`${group} in ${commit.id}: ${now} of ${count}`);
    }
    for (const [group, count] of counts) before.set(group, count);
    for (const group of before.keys()) if (!counts.has(group)) before.delete(group);
  }
  return torn;
}
