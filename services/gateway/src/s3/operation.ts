import type { Domain } from '../pfs/domain.ts';
import type { Principal } from '../pfs/identity.ts';
import type { Caller, RepoPermission } from '../pfs/model.ts';
import { andThen, type Soon } from '../pfs/soon.ts';
import type { BucketView } from '../pfs/state.ts';
import type { RequestBody } from './body.ts';
import type { HttpAnswer } from './http.ts';
import type { S3Request } from './request.ts';

/** What an operation has at hand when it runs. */
export interface Context {
  readonly domain: Domain;
  readonly caller: Caller;
  readonly principal: Principal;
  readonly body: RequestBody;
}

/** The same for an operation on a bucket: the bucket is there, and the caller has the permission that the operation needs. */
export interface BucketContext extends Context {
  readonly view: BucketView;
}

interface Common<Ctx, Input, Output> {
  /** The name in the S3 API reference. */
  readonly name: string;
  /** How it differs from S3, for docs/compatibility.md. */
  readonly differs?: string;
  /** Set if who sends it is said in a form, which is then read first. */
  readonly signed?: 'in a form';
  /** Set if it may take longer than connections wait for an answer. It answers XML. */
  readonly lasts?: 'long';
  /** Reads path, query and headers. @throws S3Error for what AWS refuses; nothing has been done then */
  readonly parse: (request: S3Request) => Input;
  readonly run: (ctx: Ctx, input: Input) => Soon<Output>;
  readonly encode: (output: Output, input: Input) => HttpAnswer;
}

/** An operation that finds out for itself what the caller may. */
export interface OwnAccess<Input, Output> extends Common<Context, Input, Output> {
  readonly access: 'own';
}

/** An operation on a bucket that is there, for callers with a permission on its repo. */
export interface BucketAccess<Input, Output> extends Common<BucketContext, Input, Output> {
  readonly access: RepoPermission;
}

/** An operation as the route table holds it: a request becomes something to run, whatever its input and output are. */
export interface Operation {
  readonly name: string;
  readonly differs: string;
  readonly signed: 'in a form' | undefined;
  readonly lasts: 'long' | undefined;
  readonly prepare: (request: S3Request) => Prepared;
}

export type Prepared =
  | { readonly access: 'own'; readonly run: (ctx: Context) => Soon<HttpAnswer> }
  | { readonly access: RepoPermission; readonly run: (ctx: BucketContext) => Soon<HttpAnswer> };

export function operation<Input, Output>(spec: OwnAccess<Input, Output> | BucketAccess<Input, Output>): Operation {
  return {
    name: spec.name,
    differs: spec.differs ?? '',
    signed: spec.signed,
    lasts: spec.lasts,
    prepare(request) {
      const input = spec.parse(request);
      const encode = (output: Output) => spec.encode(output, input);
      return spec.access === 'own'
        ? { access: 'own', run: (ctx) => andThen(spec.run(ctx, input), encode) }
        : { access: spec.access, run: (ctx) => andThen(spec.run(ctx, input), encode) };
    },
  };
}
