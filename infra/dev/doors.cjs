// The doors between the rooms (docs/architecture.md): who may import whom. Imports of types count like any other, since a
// type that is known is a dependency too. Read by dependency-cruiser, which asks for CommonJS.
const gateway = 'services/gateway/src';
const room = (...names) => `^${gateway}/(${names.join('|')})(/|\\.ts$)`;
const npm = (...names) => `(^|/)node_modules/(${names.join('|')})(/|$)`;
const test = '^services/[^/]+/test/';

const forbidden = [
  rule('edge and s3 know nothing of pachd and cache', { path: room('edge', 's3') }, { path: room('pachd', 'cache') }),
  rule('pfs knows nothing of edge and s3', { path: room('pfs') }, { path: room('edge', 's3') }),
  rule(
    'pachd and cache import only telemetry and the stubs',
    { path: room('pachd') },
    { path: '^(services|loadtest|infra|proto)/', pathNot: [room('pachd', 'telemetry'), '^proto/gen/'] },
  ),
  rule(
    'cache imports only telemetry and the stubs',
    { path: room('cache') },
    { path: '^(services|loadtest|infra|proto)/', pathNot: [room('cache', 'telemetry'), '^proto/gen/'] },
  ),
  rule(
    'telemetry imports nobody',
    { path: room('telemetry') },
    { path: '^(services|loadtest|infra|proto)/', pathNot: room('telemetry') },
  ),
  rule(
    'only edge imports uWebSockets.js',
    { path: `^${gateway}/`, pathNot: room('edge') },
    { path: npm('uWebSockets\\.js', '@btc-vision/uwebsockets\\.js', 'uws-pack') },
  ),
  rule(
    'only connections to Redis import ioredis',
    { path: `^${gateway}/`, pathNot: `^${gateway}/cache/redis-(connection|sentinel)\\.ts$` },
    { path: npm('ioredis') },
  ),
  rule('only cache keeps a store', { path: `^${gateway}/`, pathNot: room('cache') }, { path: npm('lmdb') }),
  rule(
    'only pachd imports @grpc/grpc-js',
    { path: `^${gateway}/`, pathNot: room('pachd') },
    { path: npm('@grpc/grpc-js') },
  ),
  // The stubs import @grpc/grpc-js: who imports them has it too.
  rule(
    'only pachd and cache import the stubs',
    { path: `^${gateway}/`, pathNot: room('pachd', 'cache') },
    { path: '^proto/gen/' },
  ),
  rule(
    'only s3/wire imports fast-xml-parser',
    { path: `^${gateway}/`, pathNot: `^${gateway}/s3/wire/` },
    { path: npm('fast-xml-parser') },
  ),
  rule('the gateway never imports devpachd', { path: '^services/gateway/src/' }, { path: '^services/devpachd/' }),
  rule('devpachd never imports the gateway', { path: '^services/devpachd/src/' }, { path: '^services/gateway/' }),
  rule(
    'worker.ts alone knows all',
    { path: `^${gateway}/`, pathNot: [`^${gateway}/(main|worker|worker-process)\\.ts$`, room('edge')] },
    { path: [`^${gateway}/(worker|s3/handle)\\.ts$`, `^${gateway}/edge/`] },
  ),
  rule('nothing imports main.ts', { path: '.' }, { path: '^services/[^/]+/src/main\\.ts$' }),
  rule('sources never import tests', { path: '^services/[^/]+/src/' }, { path: test }),
  rule('no cycles', {}, { circular: true }),
  rule('every import is there', {}, { couldNotResolve: true }),
  rule(
    'what runs in production is no development dependency',
    { path: '^services/[^/]+/src/' },
    { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['type-only'] },
  ),
];

function rule(name, from, to) {
  return { name: name.replaceAll(' ', '-'), severity: 'error', from, to };
}

module.exports = {
  forbidden,
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|\\.cache)/' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
