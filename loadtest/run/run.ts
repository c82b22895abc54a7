import { ROOT_TOKEN } from '../../infra/cluster/cluster.ts';
import { withFleet } from '../bench/fleet-cluster.ts';
import { createAggregate } from './aggregate.ts';
import { inspectScenario, runScenario, type ScenarioSettings } from './k6.ts';
import type { Order } from './options.ts';
import type { Progress } from './progress.ts';
import type { Result } from './result.ts';
import { progressLine } from './terminal.ts';
import { judge, parseThresholds } from './thresholds.ts';

type RunOrder = Extract<Order, { kind: 'run' }>;

/** Where and as whom the scenario sends its requests. */
type Target = Pick<ScenarioSettings, 'target' | 'accessKey' | 'secretKey' | 'cleans'>;

export interface Outcome {
  readonly result: Result;
  /** k6's; 0: the scenario went through. */
  readonly code: number;
}

/** Runs a scenario, where it is told to or on a fleet that lives as long as the test. @throws Error when it cannot be begun */
export async function runLoad(order: RunOrder, progress: Progress): Promise<Outcome> {
  const { target, latency } = order;
  if (target !== undefined) {
    const { AWS_ACCESS_KEY_ID: accessKey = 'any', AWS_SECRET_ACCESS_KEY: secretKey = accessKey } = process.env;
    return drive(order, { target, accessKey, secretKey, cleans: true }, target, progress);
  }
  progress.say('Starting a fleet: HAProxy, two gateways with two workers each, Redis, two devpachd ...');
  const options = {
    auth: true,
    pachdArgs: latency === undefined ? [] : ['--latency', latency],
    onDeath: (member: { readonly name: string; readonly logFile: string }, how: string) =>
      progress.say(`${member.name} ended (${how}); its log: ${member.logFile}`),
  };
  const where = `a fleet of its own${latency === undefined ? '' : ` (--latency ${latency})`}`;
  return withFleet(options, ({ url }) =>
    drive(order, { target: url, accessKey: ROOT_TOKEN, secretKey: ROOT_TOKEN, cleans: false }, where, progress),
  );
}

async function drive(order: RunOrder, target: Target, where: string, progress: Progress): Promise<Outcome> {
  const settings = { ...target, users: order.users, seconds: order.seconds };
  const scenario = await inspectScenario(order.scenario, settings);
  const thresholds = parseThresholds(scenario.thresholds);
  progress.say(`${scenario.name}, ${scenario.users} users for ${scenario.seconds} s: ${scenario.about}`);
  const aggregate = createAggregate();
  const handlers = { onSample: aggregate.add, onProgress: progress.show, onComplaint: progress.say };
  const telling = setInterval(() => {
    const newest = aggregate.newest();
    if (newest !== undefined) progress.show(progressLine(newest, scenario.seconds));
  }, 1_000);
  try {
    const code = await runScenario(order.scenario, settings, handlers);
    const { name, about } = scenario;
    const verdicts = judge(thresholds, aggregate.totals);
    return { code, result: { version: 1, scenario: name, about, target: where, ...aggregate.measured(), verdicts } };
  } finally {
    clearInterval(telling);
  }
}
