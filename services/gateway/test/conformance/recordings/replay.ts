import { type Answer, send } from '../../support/http.ts';
import type { BranchName, Pachd, RepoName } from '../../support/pachd.ts';
import { type Key, keyOf } from '../../support/signature.ts';
import type { Exchange, RecordedRequest, Signer, Step } from './exchange.ts';

/** Where the exchanges of one instance go. */
export interface Target {
  readonly url: string;
  readonly pachd: Pachd;
  /** Tokens of root, alice, bob and carol; none where auth is off. */
  readonly tokens: Readonly<Record<string, string>>;
}

/** What was learnt on the way: `commit:1`, `uploadId:1`, `etag:hello`, ... */
export type Learnt = Map<string, string>;

interface OpenCommit {
  readonly repo: RepoName;
  readonly id: string;
}

/** Sends exchanges in their order, each after its set-up steps. */
export function createReplay(targets: Readonly<Record<Exchange['instance'], Target>>) {
  const learnt: Learnt = new Map();
  const open = new Map<string, OpenCommit>();

  return {
    learnt,
    play: async (exchange: Exchange): Promise<Answer> => {
      const target = targets[exchange.instance];
      for (const step of exchange.setup ?? []) await carryOut(step, target.pachd, learnt, open);
      const answer = await sendRecorded(exchange, target, learnt);
      learnFrom(exchange, answer, learnt);
      return answer;
    },
  };
}

/** Fills in `{{NAME}}` where NAME is known. */
export function fillIn(text: string, learnt: Learnt): string {
  return text.replace(/\{\{([^}]+)\}\}/g, (all, name: string) => learnt.get(name) ?? all);
}

function sendRecorded({ request, auth, instance }: Exchange, target: Target, learnt: Learnt): Promise<Answer> {
  const fill = (text: string): string => fillIn(text, learnt);
  const headers = Object.entries(request.headers ?? {}).map(([name, value]) => [name, fill(value)] as const);
  const options = {
    query: (request.query ?? []).map(([name, value]) => [name, value === null ? null : fill(value)] as const),
    headers: Object.fromEntries(headers),
    body: bodyOf(request, fill),
    key: auth === null ? undefined : keyFor(auth, instance, target.tokens),
    at: new Date(Date.now() + (request.clockSkew ?? 0) * 1000),
    noContentLength: request.noContentLength ?? false,
    ...(request.sign === undefined ? {} : { signing: request.sign }),
    ...(request.chunks === undefined ? {} : { chunks: request.chunks }),
    ...(request.payloadHash === undefined ? {} : { payloadHash: request.payloadHash }),
    ...(request.region === undefined ? {} : { region: request.region }),
    ...(request.expires === undefined ? {} : { expiresSeconds: request.expires }),
  };
  return send(target.url, request.method, fill(request.path), options);
}

function bodyOf(request: RecordedRequest, fill: (text: string) => string): Buffer {
  if (request.bodyGenerator !== undefined)
    return Buffer.alloc(request.bodyGenerator.bytes, request.bodyGenerator.repeat);
  const text = request.body ?? '';
  if (request.bodyEncoding === 'base64') return Buffer.from(text, 'base64');
  return Buffer.from(request.bodyPlaceholders ? fill(text) : text);
}

function keyFor(auth: Signer, instance: Exchange['instance'], tokens: Readonly<Record<string, string>>): Key {
  switch (auth) {
    case 'any':
      return keyOf('some-key');
    case 'badkey':
      return keyOf('f'.repeat(32));
    case 'badsecret':
      return { accessKey: instance === 'auth' ? (tokens['root'] ?? '') : 'some-key', secretKey: 'not-the-secret' };
    case 'root':
    case 'alice':
    case 'bob':
    case 'carol':
      return keyOf(tokens[auth] ?? '');
  }
}

function learnFrom({ capture = {} }: Exchange, answer: Answer, learnt: Learnt): void {
  for (const [name, where] of Object.entries(capture)) {
    const [kind, what = ''] = where.split(':');
    const value =
      kind === 'header' ? answer.headers[what] : new RegExp(`<${what}>([^<]*)</${what}>`).exec(answer.text)?.[1];
    if (value) learnt.set(name, value.replace(/^"|"$/g, ''));
  }
}

async function carryOut(step: Step, pachd: Pachd, learnt: Learnt, open: Map<string, OpenCommit>): Promise<void> {
  switch (step.op) {
    case 'createProject':
      return pachd.createProject(step.project);
    case 'deleteProject':
      return pachd.deleteProject(step.project);
    case 'createRepo':
      return pachd.createRepo(step);
    case 'deleteRepo':
      return pachd.deleteRepo(step);
    case 'createBranch':
      return pachd.createBranch(step, step.provenance);
    case 'createPipeline':
      return createPipeline(pachd, step.project, step.pipeline, step.input);
    case 'putFiles': {
      const id = await pachd.putFiles(step, step.files);
      if (step.as !== undefined) learnt.set(step.as, id);
      return;
    }
    case 'startCommit': {
      const id = await pachd.startCommit(step);
      learnt.set(step.as, id);
      open.set(step.as, { repo: step, id });
      return;
    }
    case 'finishCommit': {
      const commit = open.get(step.commit);
      if (commit === undefined) throw new Error(`${step.commit} was not started`);
      return pachd.finishCommit(commit.repo, commit.id);
    }
    case 'finishHead': {
      const { head } = await pachd.inspectBranch(step);
      // Finished already: nothing to do, as when a job was faster.
      return pachd.finishCommit(step, head?.id ?? '', { force: true }).catch(unlessFinished);
    }
    case 'branchHead': {
      const { head } = await pachd.inspectBranch(step);
      learnt.set(step.as, head?.id ?? '');
      return;
    }
    case 'grant':
      return pachd.grant(step, `robot:${step.user}`, step.roles);
  }
}

// What a pipeline leaves in PFS: an output repo with a spec and a meta repo beside it, and an output branch that stands on
// its input and on its spec. Nobody runs its jobs, which is also how the recording was made.
async function createPipeline(pachd: Pachd, project: string, pipeline: string, input: BranchName): Promise<void> {
  const output: BranchName = { project, repo: pipeline, branch: 'master' };
  const spec: BranchName = { ...output, type: 'spec' };
  const meta: BranchName = { ...output, type: 'meta' };
  for (const repo of [output, spec, meta]) await pachd.createRepo(repo);
  await pachd.putFiles(spec, { spec: pipeline });
  await pachd.createBranch(output, [input, spec]);
  await pachd.createBranch(meta, [input, spec]);
}

function unlessFinished(error: unknown): void {
  if (!/already (been )?finished/.test(String(error))) throw error;
}
