import { Permission } from '../../../../proto/gen/auth/auth.ts';
import type { Edit, APIServer as MetadataServer } from '../../../../proto/gen/metadata/metadata.ts';
import type { App } from '../app.ts';
import { putCommit } from '../store/commits.ts';
import { type ErrorKind, PfsError, prefixed, refused, within } from '../store/errors.ts';
import {
  applyOp,
  type MetadataMap,
  type MetadataOp,
  readClusterMetadata,
  writeClusterMetadata,
} from '../store/metadata.ts';
import { repoKeyText } from '../store/names.ts';
import { putRepo } from '../store/repos.ts';
import type { Calls, Context } from './call.ts';
import type { Guard } from './guard.ts';
import { commitKey, createPickers } from './metadata-pick.ts';

/** Edits are applied in order, all or none; what is wrong with several is told in lines. */
export function metadataService({ db }: App, calls: Calls, guard: Guard): MetadataServer {
  const pick = createPickers(db);

  const edit = (context: Context, { target, op: asked }: Edit): void => {
    const op = toOp(asked);
    context.meter.cost.writtenBytes += sizeOfOp(op);
    if (target?.$case === 'repo') context.meter.cost.variant = 'repo';
    /** `what` is edited; `during` is what pachd's database is at when it refuses the result. */
    const changed = (what: string, map: MetadataMap, during: string): MetadataMap => {
      const result = within(`edit ${what}`, () => applyOp(map, op));
      if (!JSON.stringify(result).includes('\\u0000')) return result;
      throw refused(`update ${what}: ${during}: ERROR: unsupported Unicode escape sequence (SQLSTATE 22P05)`);
    };
    switch (target?.$case) {
      case 'project': {
        const project = within('pick project', () => pick.project(target.value));
        const metadata = changed(`project "${project.name}"`, project.metadata, 'update project');
        db.projects.put(project.name, { ...project, metadata });
        return;
      }
      case 'commit': {
        const commit = within('pick commit', () => pick.commit(target.value));
        const what = `commit "${commitKey(db, commit)}"`;
        const metadata = changed(what, commit.metadata, 'update commit metadata: update commit');
        putCommit(db, { ...commit, metadata });
        return;
      }
      case 'branch': {
        const { branch, ref } = within('pick branch', () => pick.branch(target.value));
        const key = `${repoKeyText(ref.repo)}@${ref.name}`;
        within(`check permissions on branch "${key}" of repo "${repoKeyText(ref.repo)}"`, () =>
          guard.repo(context, ref.repo, Permission.REPO_CREATE_BRANCH),
        );
        const metadata = changed(`branch "${key}"`, branch.metadata, 'could not create branch');
        db.branches.put([branch.repoId, branch.name], { ...branch, metadata, updatedAt: Date.now() });
        return;
      }
      case 'repo': {
        const { repo, ref } = within('pick repo', () => pick.repo(target.value));
        within(`check permissions on repo "${repoKeyText(ref)}"`, () =>
          guard.repo(context, ref, Permission.REPO_WRITE),
        );
        putRepo(db, { ...repo, metadata: changed(`repo "${repoKeyText(ref)}"`, repo.metadata, 'upsert repo') });
        return;
      }
      case 'cluster':
        within('check cluster permissions', () => guard.cluster(context, Permission.CLUSTER_EDIT_CLUSTER_METADATA));
        writeClusterMetadata(db, changed('cluster metadata', readClusterMetadata(db), 'update metadata'));
        return;
      case undefined:
        throw refused('unknown target <nil>');
    }
  };

  return {
    editMetadata: calls.unary(async ({ edits }, context) => {
      const violations = edits.flatMap(violationOf);
      if (violations.length > 0) {
        throw new PfsError('invalidArgument', `validate request: ${violations.join('; ')}`);
      }
      await db.write(() => {
        const errors: string[] = [];
        for (const [index, one] of edits.entries()) {
          try {
            edit(context, one);
          } catch (error) {
            const told = prefixed(`edit #${index}`, error);
            if (!(told instanceof PfsError)) throw told;
            errors.push(told.message);
          }
        }
        if (errors.length === 0) return;
        const text = errors.join('\n');
        throw new PfsError(kindOf(text), `apply edits: ${text}`);
      });
      return {};
    }),
  };
}

/** pachd gives its answer a code by what stands in the text. */
function kindOf(text: string): ErrorKind {
  if (text.includes('SQLSTATE')) return 'aborted';
  if (text.includes('is not authorized')) return 'permissionDenied';
  if (text.includes('already exists')) return 'failedPrecondition';
  return 'unknown';
}

const EMBEDDED = 'embedded message failed validation | caused by:';
const TOO_SHORT = 'value length must be at least 1 runes';

/** What is wrong with an edit in itself, if anything. */
function violationOf({ target, op }: Edit, index: number): readonly string[] {
  const causes: string[] = [];
  if (!target) causes.push('invalid Edit.Target: value is required');
  if (!op) causes.push('invalid Edit.Op: value is required');
  else if (op.$case === 'replace') {
    const isShort = Object.hasOwn(op.value.replacement, '');
    if (isShort) causes.push(`invalid Edit.Replace: ${EMBEDDED} invalid Edit_Replace.Replacement[]: ${TOO_SHORT}`);
  } else if (op.value.key === '') {
    const name = OP_NAMES[op.$case];
    causes.push(`invalid Edit.${name}: ${EMBEDDED} invalid Edit_${name}.Key: ${TOO_SHORT}`);
  }
  if (causes.length === 0) return [];
  return [`invalid EditMetadataRequest.Edits[${index}]: ${EMBEDDED} ${causes.join('; ')}`];
}

const OP_NAMES = { addKey: 'AddKey', editKey: 'EditKey', deleteKey: 'DeleteKey' } as const;

function toOp(op: Edit['op']): MetadataOp {
  switch (op?.$case) {
    case 'replace':
      return { kind: 'replace', map: op.value.replacement };
    case 'addKey':
      return { kind: 'add', ...op.value };
    case 'editKey':
      return { kind: 'edit', ...op.value };
    case 'deleteKey':
      return { kind: 'delete', key: op.value.key };
    case undefined:
      throw refused('unknown op <nil>');
  }
}

function sizeOfOp(op: MetadataOp): number {
  if ('value' in op) return op.value.length;
  return op.kind === 'replace' ? Object.values(op.map).reduce((sum, value) => sum + value.length, 0) : 0;
}
