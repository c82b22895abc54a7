import type { Pachd } from '../pachd/client.ts';
import type { BranchRef, Caller } from '../pachd/model.ts';

/** What is said of a bucket as a whole, and kept until somebody says otherwise. */
export type SettingName = 'tagging' | 'public-access-block';

/** So they can be told from what others write to the metadata of a branch. */
const PREFIX = 'tusk.s3.';

export type Settings = ReturnType<typeof createSettings>;

/** They stand in the metadata of the branch, go with it, and are asked for each time: nothing else need know of them. */
export function createSettings(pachd: Pachd) {
  return {
    async read(caller: Caller, branch: BranchRef, name: SettingName): Promise<string | undefined> {
      return (await pachd.inspectBranch(caller, branch)).metadata[PREFIX + name];
    },

    /** undefined: it is not set any more. */
    write(caller: Caller, branch: BranchRef, name: SettingName, text: string | undefined): Promise<void> {
      return pachd.editBranchMetadata(caller, branch, PREFIX + name, text);
    },
  };
}
