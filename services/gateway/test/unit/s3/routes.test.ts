import { describe, expect, it } from 'vitest';
import { S3Error } from '../../../src/s3/errors.ts';
import type { HttpHeaders, HttpRequest } from '../../../src/s3/http.ts';
import { parseRequest } from '../../../src/s3/request.ts';
import { ROUTES, routeOf } from '../../../src/s3/routes.ts';

function request(line: string, headers: Record<string, string> = {}): HttpRequest {
  const [method = '', target = ''] = line.split(' ');
  const [rawPath = '', rawQuery = ''] = target.split('?');
  const all: HttpHeaders = {
    get: (name) => headers[name],
    all: (name) => (headers[name] === undefined ? [] : [headers[name]]),
    entries: () => Object.entries(headers),
    sizeBytes: 0,
  };
  const body = { lengthBytes: 0, async *[Symbol.asyncIterator]() {} };
  return { method, rawPath, rawQuery, headers: all, body, signal: new AbortController().signal };
}

const operationOf = (line: string, headers?: Record<string, string>, domains: readonly string[] = []) =>
  routeOf(parseRequest(request(line, headers), domains, 'http')).name;

function errorOf(line: string): string {
  try {
    return operationOf(line);
  } catch (error) {
    if (error instanceof S3Error) return error.code;
    throw error;
  }
}

describe('the route table', () => {
  it.each([
    ['GET /', 'ListBuckets'],
    ['GET /?x-id=ListBuckets', 'ListBuckets'],
    ['GET /b', 'ListObjects'],
    ['GET /b/', 'ListObjects'],
    ['GET /b?list-type=1', 'ListObjects'],
    ['GET /b?list-type=2&prefix=a', 'ListObjectsV2'],
    ['GET /b?prefix=&delimiter=/&max-keys=', 'ListObjects'],
    ['GET /b?location', 'GetBucketLocation'],
    ['GET /b?location=', 'GetBucketLocation'],
    ['GET /b?uploads&prefix=a', 'ListMultipartUploads'],
    ['HEAD /b', 'HeadBucket'],
    ['GET /b?acl', 'GetBucketAcl'],
    ['GET /b?versions&key-marker=k&version-id-marker=1', 'ListObjectVersions'],
    ['GET /b?metrics&id=mine', 'GetBucketMetricsConfiguration'],
    ['DELETE /b?policy', 'DeleteBucketPolicy'],
    ['GET /b/k?attributes', 'GetObjectAttributes'],
    ['POST /b', 'PostObject'],
    ['PUT /b', 'CreateBucket'],
    ['DELETE /b', 'DeleteBucket'],
    ['POST /b?delete', 'DeleteObjects'],
    ['GET /b/k', 'GetObject'],
    ['GET /b/k?versionId=1', 'GetObject'],
    ['GET /b/k?response-content-type=', 'GetObject'],
    ['GET /b/k?X-Amz-Signature=1&X-Amz-Expires=2', 'GetObject'],
    ['HEAD /b/k?partNumber=1', 'HeadObject'],
    ['PUT /b/k', 'PutObject'],
    ['PUT /b/k?x-id=PutObject', 'PutObject'],
    ['DELETE /b/k', 'DeleteObject'],
    ['POST /b/k?uploads', 'CreateMultipartUpload'],
    ['PUT /b/k?partNumber=1&uploadId=2', 'UploadPart'],
    ['POST /b/k?uploadId=2', 'CompleteMultipartUpload'],
    ['DELETE /b/k?uploadId=2', 'AbortMultipartUpload'],
    ['GET /b/k?uploadId=2', 'ListParts'],
  ])('takes %s for %s', (line, operation) => {
    expect(operationOf(line)).toBe(operation);
  });

  it('tells a copy by its header', () => {
    const copy = { 'x-amz-copy-source': '/b/k' };
    expect(operationOf('PUT /b/k', copy)).toBe('CopyObject');
    expect(operationOf('PUT /b/k?partNumber=1&uploadId=2', copy)).toBe('UploadPartCopy');
  });

  it.each([
    'PUT /b?replication',
    'DELETE /b?ownershipControls',
    'GET /b?session',
    'HEAD /b?policy',
    'POST /b?acl',
    'PUT /b?somethingNew',
    'DELETE /b?somethingNew=',
    'PUT /b/k?encryption',
    'DELETE /b/k?versionId=1',
    'POST /b/k?select&select-type=2',
  ])('does not take %s for the plain request', (line) => {
    expect(errorOf(line)).toBe('NotImplemented');
  });

  it.each(['POST /', 'PATCH /b/k', 'OPTIONS /', 'POST /b/k', 'get /b/k', 'DELETE /'])(
    'refuses the method of %s',
    (line) => {
      expect(errorOf(line)).toBe('MethodNotAllowed');
    },
  );

  it('finds a dotted bucket in the host, and its key in the whole path', () => {
    const hosted = (path: string, host: string) =>
      parseRequest(request(`GET ${path}`, { host }), ['s3.example.com'], 'http').target;
    expect(hosted('/a/b', 'master.foo.bar.s3.example.com:30600')).toMatchObject({
      bucket: 'master.foo.bar',
      key: 'a/b',
    });
    expect(hosted('/', 'Dev.foo.bar.S3.EXAMPLE.com')).toMatchObject({ scope: 'bucket', bucket: 'Dev.foo.bar' });
    expect(hosted('/b/k', 's3.example.com')).toMatchObject({ bucket: 'b', key: 'k' });
    expect(hosted('/b/k', 'nots3.example.com')).toMatchObject({ bucket: 'b', key: 'k' });
  });

  it('has no line that an earlier one hides', () => {
    for (const [at, route] of ROUTES.entries()) {
      const hidden = ROUTES.slice(0, at).some(
        (earlier) =>
          earlier.method === route.method &&
          earlier.scope === route.scope &&
          (earlier.query ?? []).every((parameter) => route.query?.includes(parameter)) &&
          (earlier.header === undefined || earlier.header === route.header),
      );
      expect(hidden, `${route.method} ${route.scope} ${route.query}`).toBe(false);
    }
  });
});
