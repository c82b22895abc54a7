/** The generated stubs in use, in one place, so that nobody else needs to know where they lie. */
export {
  APIClient as AuthClient,
  Permission,
  ResourceType,
} from '../../../../proto/gen/auth/auth.ts';
export type { Timestamp } from '../../../../proto/gen/google/protobuf/timestamp.ts';
export { HealthClient } from '../../../../proto/gen/health/health.ts';
export { APIClient as MetadataClient } from '../../../../proto/gen/metadata/metadata.ts';
export type {
  Commit,
  CommitInfo,
  DiffFileResponse,
  FileInfo,
  ModifyFileRequest,
  RepoInfo,
} from '../../../../proto/gen/pfs/pfs.ts';
export {
  APIClient as PfsClient,
  APIService as PfsService,
  CommitState,
  FileType,
  GetFileRequest,
  GetFileSetRequest_FileSetType as FileSetType,
} from '../../../../proto/gen/pfs/pfs.ts';
