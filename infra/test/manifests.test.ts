import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { SETTINGS_TABLE } from '../../services/gateway/src/config.ts';
import { makeFolder, pythonProgram, runCommand } from '../../services/gateway/test/support/clients.ts';
import { ROOT } from '../../services/gateway/test/support/program.ts';

const CHART = join(ROOT, 'infra/k8s/tusk');
const HELM = join(ROOT, '.cache/bin/helm');
/** The oldest that the chart takes, and the newest whose schemas are here. */
const KUBERNETES = ['1.25', '1.37'];
const REQUIRED = ['--set', 'pachd=grpc://pachd:30650,existingSecret=tusk'];
const EVERYTHING = [
  ...REQUIRED,
  '--set',
  'autoscaling.enabled=true,serviceMonitor.enabled=true,prometheusRule.enabled=true,grafanaDashboard.enabled=true,service.type=NodePort,service.nodePort=30600,drainMs=60000',
  '--set',
  'settings.TUSK_DOMAINS=s3.example.com,settings.TUSK_HEAD_TTL_MS=0',
  '--set-json',
  'networkPolicy.monitoring=[{"namespaceSelector":{}}]',
];

const SETTINGS = SETTINGS_TABLE.map(({ name }) => name);
const DRAIN_SECONDS = Number(SETTINGS_TABLE.find(({ name }) => name === 'TUSK_DRAIN_MS')?.fallback) / 1000;

/** @returns what it printed */
async function succeed(command: string, args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runCommand(command, args);
  expect(code, stdout + stderr).toBe(0);
  return stdout;
}

describe('the image', () => {
  const dockerfile = join(ROOT, 'infra/docker/Dockerfile');

  it('is built as hadolint would have it', async () => {
    expect(await succeed(pythonProgram('hadolint'), ['--failure-threshold', 'style', dockerfile])).toBe('');
  });

  it('has nothing that is not named, runs as nobody, and says how it is', async () => {
    const text = await readFile(dockerfile, 'utf8');
    const [, gateway = ''] = text.split(/^FROM base AS gateway$/m);
    expect(text.match(/^USER .*/gm)).toEqual(['USER 65532:65532']);
    expect(gateway).toMatch(/^HEALTHCHECK [\s\S]*\/readyz/m);
    const named = [...text.matchAll(/TUSK_[A-Z_]+/g)].map(([name]) => name);
    for (const name of named) expect(SETTINGS).toContain(name);
  });
});

describe('docker-compose.yml', () => {
  interface Service {
    readonly read_only: boolean;
    readonly cap_drop: readonly string[];
    readonly environment?: Readonly<Record<string, string>>;
    readonly stop_grace_period?: string;
    readonly volumes?: readonly { readonly source: string }[];
  }
  const file = join(ROOT, 'docker-compose.yml');
  const servicesOf = async (): Promise<Readonly<Record<string, Service>>> => {
    // The reader of `docker compose` itself.
    const args = ['-no-interpolation', '-format', 'json', file];
    return JSON.parse(await succeed(join(ROOT, '.cache/bin/compose-spec'), args)).services;
  };

  it('is a fleet of which nothing may write where it should not', async () => {
    const services = await servicesOf();
    expect(Object.keys(services).sort()).toEqual([
      'devpachd-1',
      'devpachd-2',
      'gateway-1',
      'gateway-2',
      'haproxy',
      'redis',
    ]);
    for (const { read_only, cap_drop } of Object.values(services))
      expect([read_only, cap_drop]).toEqual([true, ['ALL']]);
  });

  it('gives its gateways settings that there are, and time to drain', async () => {
    const services = await servicesOf();
    // Those of OpenTelemetry are its own; which of them count is said there.
    const telemetry = await readFile(join(ROOT, 'docs/observability.md'), 'utf8');
    for (const name of ['gateway-1', 'gateway-2']) {
      for (const setting of Object.keys(services[name]?.environment ?? {})) {
        if (setting.startsWith('OTEL_')) expect(telemetry).toContain(`| \`${setting}\` |`);
        else expect(SETTINGS).toContain(setting);
      }
      expect(Number.parseInt(services[name]?.stop_grace_period ?? '', 10)).toBeGreaterThan(DRAIN_SECONDS);
    }
  });

  it('has the workers that haproxy.cfg sends to', async () => {
    const services = await servicesOf();
    const config = await readFile(join(ROOT, 'infra/haproxy/haproxy.cfg'), 'utf8');
    const sentTo = (backend: string) =>
      [...(config.split(`\nbackend ${backend}\n`)[1]?.split(/\n(?=\S)/)[0] ?? '').matchAll(/ server \S+ (\S+)/g)].map(
        ([, address]) => address,
      );
    const workers = Object.entries(services).flatMap(([name, { environment: env }]) =>
      Array.from({ length: Number(env?.['TUSK_WORKERS'] ?? 0) }, (_, worker) => {
        return `${name}:${Number(env?.['TUSK_WORKER_PORT']) + worker}`;
      }),
    );
    expect(workers).toHaveLength(4);
    expect(sentTo('reads')).toEqual(workers);
    expect(sentTo('writes')).toEqual(workers);
    expect(services['haproxy']?.volumes?.map(({ source }) => source)).toEqual([
      join(ROOT, 'infra/haproxy/haproxy.cfg'),
    ]);
  });

  it('has a balancer whose configuration HAProxy takes without a warning but for names that are not here', async () => {
    const { code, stderr } = await runCommand('haproxy', ['-c', '-f', join(ROOT, 'infra/haproxy/haproxy.cfg')]);
    expect(code).toBe(0);
    const warnings = stderr.split('\n').filter((line) => line.startsWith('[WARNING]'));
    expect(warnings.filter((line) => !line.includes('could not resolve address'))).toEqual([]);
  });
});

describe('the chart', () => {
  const render = (version: string, args: readonly string[]) =>
    succeed(HELM, ['template', 'release', CHART, '--kube-version', `${version}.0`, ...args]);

  it('is as helm would have it', async () => {
    await succeed(HELM, ['lint', '--strict', '--quiet', CHART, ...REQUIRED]);
  });

  it.each([
    {
      title: 'as it comes',
      args: REQUIRED,
      kinds: ['Deployment', 'NetworkPolicy', 'PodDisruptionBudget', 'Service', 'Service'],
    },
    {
      title: 'with everything',
      args: EVERYTHING,
      kinds: [
        'ConfigMap',
        'Deployment',
        'HorizontalPodAutoscaler',
        'NetworkPolicy',
        'PodDisruptionBudget',
        'PrometheusRule',
        'Service',
        'Service',
        'ServiceMonitor',
      ],
    },
  ])('gives what the oldest and the newest Kubernetes take, $title', async ({ args, kinds }) => {
    const folder = await makeFolder();
    try {
      for (const version of KUBERNETES) {
        const text = await render(version, args);
        expect(
          parseAllDocuments(text)
            .map((document) => document.get('kind'))
            .sort(),
        ).toEqual(kinds);
        const file = join(folder.path, 'rendered.yaml');
        await writeFile(file, text);
        const checked = await runCommand(pythonProgram('kubernetes-validate'), ['--strict', '-k', version, file]);
        expect(checked.code, checked.stdout + checked.stderr).toBe(0);
        // What it has no schema for it passes over: those are kinds of the Prometheus operator's.
        const unknown = checked.stderr.split('\n').filter((line) => line.includes("Couldn't find schema"));
        expect(unknown.filter((line) => !/kind (ServiceMonitor|PrometheusRule)/.test(line))).toEqual([]);
      }
    } finally {
      await folder.remove();
    }
  });

  it('has the alerts and the dashboard that are tested, word for word', async () => {
    const documents = parseAllDocuments(await render('1.37', EVERYTHING)).map((document) => document.toJS());
    const ofKind = (kind: string) => documents.find((document) => document.kind === kind);
    const rules = await readFile(join(ROOT, 'infra/prometheus/rules.yaml'), 'utf8');
    expect(ofKind('PrometheusRule').spec).toEqual(parse(rules));
    const dashboard = await readFile(join(ROOT, 'infra/grafana/tusk.json'), 'utf8');
    expect(JSON.parse(ofKind('ConfigMap').data['tusk.json'])).toEqual(JSON.parse(dashboard));
    expect(ofKind('ConfigMap').metadata.labels).toMatchObject({ grafana_dashboard: '1' });
  });

  it('gives the gateway settings that there are, secrets by reference, and time to drain', async () => {
    const text = await render('1.37', EVERYTHING);
    const deployment = parseAllDocuments(text).find((document) => document.get('kind') === 'Deployment');
    const pod = deployment?.toJS().spec.template.spec;
    const [container] = pod.containers;
    const env: readonly { readonly name: string; readonly value?: string; readonly valueFrom?: object }[] =
      container.env;
    for (const { name } of env) expect(SETTINGS).toContain(name);
    for (const name of ['TUSK_CACHE_SECRET', 'TUSK_REDIS_URL']) {
      const entry = env.find((each) => each.name === name);
      expect([entry?.value, entry?.valueFrom]).toEqual([undefined, { secretKeyRef: expect.anything() }]);
    }
    expect(env).toContainEqual({ name: 'TUSK_HEAD_TTL_MS', value: '0' });
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(60);
    expect(pod.securityContext.runAsNonRoot).toBe(true);
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
  });

  it.each([
    { title: 'no pachd', args: ['--set', 'existingSecret=tusk'], says: 'pachd: where it is' },
    { title: 'no secret', args: ['--set', 'pachd=grpc://pachd:1'], says: 'existingSecret: a secret' },
    { title: 'a value that there is not', args: [...REQUIRED, '--set', 'replica=3'], says: 'replica' },
    { title: 'a setting that is no setting', args: [...REQUIRED, '--set', 'settings.PORT=3'], says: "'PORT'" },
    {
      title: 'a secret in plain sight',
      args: [...REQUIRED, '--set', 'settings.TUSK_CACHE_SECRET=x'],
      says: "'TUSK_CACHE_SECRET'",
    },
  ])('refuses $title', async ({ args, says }) => {
    const { code, stderr } = await runCommand(HELM, ['template', CHART, '--kube-version', '1.37.0', ...args]);
    expect(code).not.toBe(0);
    expect(stderr).toContain(says);
  });
});
