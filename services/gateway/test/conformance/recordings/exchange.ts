import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../support/program.ts';
import type { Query, Signing } from '../../support/signature.ts';

/** One recorded exchange, as README.md beside this file describes it. */
export interface Exchange {
  readonly id: string;
  readonly title: string;
  readonly level: 'core' | 'more';
  readonly instance: 'noauth' | 'auth';
  readonly auth: Signer | null;
  readonly setup?: readonly Step[];
  readonly request: RecordedRequest;
  /** Name of a value -> `header:NAME` or `xml:ELEMENT` of the answer. */
  readonly capture?: Readonly<Record<string, string>>;
  readonly bucketFilter?: readonly string[];
  readonly volatile?: readonly ('body' | 'etag' | 'content-length')[];
  readonly response: RecordedResponse;
}

export type Signer = 'any' | 'root' | 'alice' | 'bob' | 'carol' | 'badkey' | 'badsecret';

export interface RecordedRequest {
  readonly method: string;
  readonly path: string;
  readonly query?: Query;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly bodyEncoding?: 'base64';
  readonly bodyGenerator?: { readonly repeat: string; readonly bytes: number };
  readonly bodyPlaceholders?: boolean;
  readonly sign?: Signing;
  readonly chunks?: readonly number[];
  readonly payloadHash?: string;
  readonly region?: string;
  /** Seconds. */
  readonly clockSkew?: number;
  /** Seconds. */
  readonly expires?: number;
  readonly noContentLength?: boolean;
}

export interface RecordedResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly bodyEncoding?: 'base64';
  readonly bodySha256?: string;
  readonly bodyLength?: number;
}

interface BranchStep {
  readonly project: string;
  readonly repo: string;
  readonly branch: string;
}

export type Step =
  | { readonly op: 'createProject' | 'deleteProject'; readonly project: string }
  | { readonly op: 'createRepo' | 'deleteRepo'; readonly project: string; readonly repo: string }
  | ({ readonly op: 'createBranch'; readonly provenance?: readonly BranchStep[] } & BranchStep)
  | { readonly op: 'createPipeline'; readonly project: string; readonly pipeline: string; readonly input: BranchStep }
  | ({ readonly op: 'putFiles'; readonly files: Readonly<Record<string, string>>; readonly as?: string } & BranchStep)
  | ({ readonly op: 'startCommit' | 'branchHead'; readonly as: string } & BranchStep)
  | { readonly op: 'finishCommit'; readonly commit: string }
  | ({ readonly op: 'finishHead' } & BranchStep)
  | {
      readonly op: 'grant';
      readonly project: string;
      readonly repo: string;
      readonly user: string;
      readonly roles: readonly string[];
    };

/** All recorded exchanges, in their order. */
export function loadExchanges(): readonly Exchange[] {
  const file = join(ROOT, 'services/gateway/test/conformance/recordings/s3-embedded.json');
  return (JSON.parse(readFileSync(file, 'utf8')) as { readonly exchanges: readonly Exchange[] }).exchanges;
}
