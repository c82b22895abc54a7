import { EditMetadataRequest, type APIClient as MetadataClient } from '../../../../proto/gen/metadata/metadata.ts';
import {
  type BranchInfo,
  CreateBranchRequest,
  ListBranchRequest,
  ListRepoRequest,
  type RepoInfo,
} from '../../../../proto/gen/pfs/pfs.ts';
import { add, branch, type Client, call, collect, commit, fileSet, head, repo } from '../harness.ts';
import { createLedger } from './ledger.ts';
import type { Way } from './writing.ts';

/** Branches that come and go, each on a commit of another. */
export function branching(name: string): Way {
  const ledger = createLedger<undefined>();
  const create = (client: Client, of: string) => {
    const request = CreateBranchRequest.fromPartial({ branch: branch(name, of), head: head(name) });
    return call((done) => client.api.createBranch(request, done));
  };
  const remove = (client: Client, of: string) =>
    call((done) => client.api.deleteBranch({ branch: branch(name, of), force: false }, done));
  return {
    setUp: async (client) => {
      await client.createRepo(name);
      await client.modify(head(name), [add('/a', 'a')]);
    },
    write: async (client, of) => {
      await ledger.change(of, undefined, 'there', () => create(client, of));
      if (Math.random() < 0.5) await ledger.change(of, undefined, 'gone', () => remove(client, of));
    },
    check: async (client) => {
      const request = ListBranchRequest.fromPartial({ repo: repo(name) });
      const all = (await collect<BranchInfo>(client.api.listBranch(request))).map((info) => info.branch?.name ?? '');
      await ledger.check((of) => all.includes(of));
      const strangers = all.filter((of) => of !== 'master' && !ledger.there().has(of));
      if (strangers.length > 0) throw new Error(`branches from nowhere: ${strangers}`);
    },
  };
}

/** Repos that come with a file, and go with it. */
export function reposComingAndGoing(prefix: string): Way {
  const ledger = createLedger<undefined>();
  return {
    setUp: () => Promise.resolve(),
    write: async (client, name) => {
      const of = `${prefix}${name}`;
      await ledger.change(of, undefined, 'there', () => client.createRepo(of));
      await client.modify(head(of), [add('/a', of)]);
      const gone = () => call((done) => client.api.deleteRepo({ repo: repo(of), force: true }, done));
      if (Math.random() < 0.7) await ledger.change(of, undefined, 'gone', gone);
    },
    check: async (client) => {
      const all = (await collect<RepoInfo>(client.api.listRepo(ListRepoRequest.fromPartial({})))).map(
        (info) => info.repo?.name ?? '',
      );
      await ledger.check((of) => all.includes(of));
      for (const of of ledger.there().keys()) {
        const found = await client.get(head(of), '/a').catch(() => undefined);
        if (found && found.toString() !== of) throw new Error(`${of} holds ${found}`);
      }
    },
  };
}

/** Commits that are dropped from a branch's end, and squashed into the next. */
export function droppingAndSquashing(name: string): Way {
  const ledger = createLedger<undefined>();
  const headId = async (client: Client) => (await client.finished(head(name))).commit?.id ?? '';
  return {
    setUp: async (client) => {
      await client.createRepo(name);
      await client.modify(head(name), [add('/first', '')]);
    },
    write: async (client, path) => {
      await client.modify(head(name), [add(`/kept-${path}`, path)]);
      const kept = await headId(client);
      await ledger.change(kept, undefined, 'there', () => Promise.resolve());
      await client.modify(head(name), [add(`/gone-${path}`, path)]);
      const last = await headId(client);
      await ledger.change(last, undefined, 'gone', () =>
        call((done) => client.api.dropCommitSet({ commitSet: { id: last } }, done)),
      );
      await client.modify(head(name), [add(`/then-${path}`, path)]);
      await headId(client);
      await ledger.change(kept, undefined, 'gone', () =>
        call((done) => client.api.squashCommitSet({ commitSet: { id: kept } }, done)),
      );
    },
    check: async (client) => {
      await ledger.check((id) =>
        client.inspect(commit(name, id)).then(
          () => true,
          () => false,
        ),
      );
      const { error } = await client.finished(head(name));
      if (error !== '') throw new Error(error);
      const paths = (await client.list(head(name))).map(({ file }) => file?.path ?? '');
      // What was kept before something was written upon it is there, whether its own commit is or not.
      const kept = new Set(paths.filter((path) => path.startsWith('/kept-')));
      const lost = paths.filter((path) => path.startsWith('/then-') && !kept.has(path.replace('/then-', '/kept-')));
      if (lost.length > 0) throw new Error(`squashed away: ${lost}`);
    },
  };
}

/** Sets that are composed for a moment and then renewed: they outlive their first time. */
export function composingAndRenewing(): Way {
  const ledger = createLedger<string>();
  return {
    setUp: () => Promise.resolve(),
    write: async (client, name) => {
      const parts = [
        await client.createFileSet([add('/f', `${name} `)]),
        await client.createFileSet([add('/f', 'and')]),
      ];
      const request = { fileSetIds: parts, ttlSeconds: 3, compact: Math.random() < 0.5 };
      const { fileSetId } = await call<{ fileSetId: string }>((done) => client.api.composeFileSet(request, done));
      await call((done) => client.api.renewFileSet({ fileSetId, ttlSeconds: 1800 }, done));
      await ledger.change(fileSetId, `${name} and`, 'there', () => Promise.resolve());
    },
    check: (client) =>
      ledger.check((id, content) =>
        client.get(fileSet(id), '/f').then(
          (found) => {
            if (found.toString() !== content) throw new Error(`${id} holds ${found}`);
            return true;
          },
          () => false,
        ),
      ),
  };
}

/** Two keys of a commit's metadata by one call. */
export function editingMetadata(name: string, metadata: () => MetadataClient): Way {
  const ledger = createLedger<undefined>();
  return {
    setUp: async (client) => {
      await client.createRepo(name);
      await client.modify(head(name), [add('/a', 'a')]);
    },
    write: async (client, key) => {
      const { commit: at } = await client.inspect(head(name));
      const edits = [`${key}.a`, `${key}.b`].map((one) => addKey(name, at?.id ?? '', one));
      await ledger.change(key, undefined, 'there', () =>
        call((done) => metadata().editMetadata(EditMetadataRequest.fromPartial({ edits }), done)),
      );
    },
    check: async (client) => {
      const { metadata: map } = await client.inspect(head(name));
      await ledger.check((key) => {
        const halves = [`${key}.a`, `${key}.b`].filter((one) => map[one] === one);
        if (halves.length === 1) throw new Error(`half of the metadata ${key}`);
        return halves.length === 2;
      });
    },
  };
}

function addKey(name: string, id: string, key: string) {
  const project = { picker: { $case: 'name' as const, value: 'default' } };
  const of = { picker: { $case: 'name' as const, value: { name, type: 'user', project } } };
  const picker = { $case: 'id' as const, value: { repo: of, id } };
  return {
    target: { $case: 'commit' as const, value: { picker } },
    op: { $case: 'addKey' as const, value: { key, value: key } },
  };
}
