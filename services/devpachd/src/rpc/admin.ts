import { type APIServer, ClusterInfo } from '../../../../proto/gen/admin/admin.ts';
import type { App } from '../app.ts';
import { PfsError } from '../store/errors.ts';
import { readClusterMetadata } from '../store/metadata.ts';
import { getProject } from '../store/projects.ts';
import type { Calls } from './call.ts';

const NO_VERSION =
  'WARNING: The client used to connect to Pachyderm did not send its version, which means that it is likely too old.  Please upgrade it.';
/** What the build of pachd answers that devpachd was compared with. */
const CLUSTER_ID = 'mockPachd';
const SCHEMA_URL =
  'https://raw.githubusercontent.com/pachyderm/pachyderm/master/src/internal/jsonschema/pps_v2/CreatePipelineRequest.schema.json';

export function adminService({ db }: App, calls: Calls): APIServer {
  return {
    inspectCluster: calls.unary(({ clientVersion, currentProject }) => {
      const warnings: string[] = clientVersion ? [] : [NO_VERSION];
      if (currentProject) {
        try {
          getProject(db, currentProject.name);
        } catch (error) {
          if (!(error instanceof PfsError)) throw error;
          const name = `"${currentProject.name}"`;
          warnings.push(`WARNING: Could not inspect project ${name}: error getting project ${name}: ${error.message}`);
        }
      }
      return ClusterInfo.fromPartial({
        id: CLUSTER_ID,
        warningsOk: true,
        warnings,
        webResources: {
          archiveDownloadBaseUrl: '/archive/',
          createPipelineRequestJsonSchemaUrl: SCHEMA_URL,
        },
        metadata: { ...readClusterMetadata(db) },
      });
    }),
  };
}
