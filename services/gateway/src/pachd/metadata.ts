import { unary } from './calls.ts';
import type { BranchRef, Caller } from './model.ts';
import type { Pool } from './pool.ts';
import { branchName } from './wire.ts';

const DEADLINE_MS = 15_000;

/** Changes of the strings that a branch carries beside its commits. Each throws PachdError. */
export function metadataCalls(pool: Pool) {
  return {
    /** Sets one key, or takes it away if there is no value; what stands under others stays. */
    async editBranchMetadata(caller: Caller, branch: BranchRef, key: string, value: string | undefined): Promise<void> {
      const op =
        value === undefined
          ? ({ $case: 'deleteKey', value: { key } } as const)
          : ({ $case: 'editKey', value: { key, value } } as const);
      const request = { edits: [{ target: { $case: 'branch' as const, value: pickerOf(branch) }, op }] };
      const call = {
        name: 'EditMetadata',
        repeat: 'unsent',
        deadlineMs: DEADLINE_MS,
        about: branchName(branch),
      } as const;
      await pool.run(call, caller, (attempt) =>
        unary(attempt, (...rest) => attempt.channel.metadata.editMetadata(request, ...rest)),
      );
    },
  };
}

function pickerOf({ project, repo, branch }: BranchRef) {
  const inProject = { picker: { $case: 'name', value: project } } as const;
  const inRepo = { picker: { $case: 'name', value: { project: inProject, name: repo, type: 'user' } } } as const;
  return { picker: { $case: 'name', value: { repo: inRepo, name: branch } } } as const;
}
