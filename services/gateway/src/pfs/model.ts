/** The plain values that the domain shares with who calls it. They are pachd's own notions, said here so that the protocol need not know that room. */
export type { Caller, RepoPermission } from '../pachd/model.ts';
