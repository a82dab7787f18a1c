import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { composeEnvironment } from '../../../scripts/stack/compose.mjs';
import { portsFrom } from '../../../scripts/stack/ports.mjs';
import {
  DEFAULT_PORT_BASE,
  MINIMUM_VERSIONS,
  POSTGRES_SUPERUSER,
  RABBITMQ_USER,
  SERVERS,
  TEMPORAL_CLI_VERSION,
  searchAttributes,
  temporalServerArguments,
} from '../../../scripts/stack/settings.mjs';

interface Service {
  image: string;
  command: string[];
  environment: Record<string, string>;
  ports: string[];
  volumes?: string[];
  healthcheck?: { test: string[] };
}

const file = (name: string) => readFileSync(new URL(`../../../${name}`, import.meta.url), 'utf8');
const compose = file('docker-compose.yml');
const { services } = parse(compose) as { services: Record<(typeof SERVERS)[number], Service> };

describe('docker-compose.yml', () => {
  it('has the servers of the stack, each with a check of its health', () => {
    expect(Object.keys(services).sort()).toEqual([...SERVERS].sort());
    for (const service of Object.values(services)) expect(service.healthcheck?.test.length).toBeGreaterThan(1);
  });

  it("publishes the stack's ports, on the loopback interface only", () => {
    const published = Object.values(services).flatMap((service) => service.ports);
    const defaults = composeEnvironment(portsFrom(DEFAULT_PORT_BASE), 'secret');
    const expected = Object.entries(defaults)
      .filter(([name]) => name !== 'STACK_PASSWORD')
      .map(([name, port]) => `127.0.0.1:\${${name}:-${port}}`);
    expect(published.map((port) => port.replace(/:\d+$/, '')).sort()).toEqual(expected.sort());
  });

  it('reads no variable that the stack does not set', () => {
    const read = new Set([...compose.matchAll(/\$\{(\w+)/g)].map((match) => match[1]));
    expect([...read].sort()).toEqual(Object.keys(composeEnvironment(portsFrom(DEFAULT_PORT_BASE), 'secret')).sort());
  });

  it('uses the versions of the private servers', () => {
    expect(services.postgres.image).toBe(`postgres:${MINIMUM_VERSIONS.postgres}`);
    expect(services.redis.image).toBe(`redis:${MINIMUM_VERSIONS.redis}.0`);
    expect(services.rabbitmq.image).toBe(`rabbitmq:${MINIMUM_VERSIONS.rabbitmq}-management`);
    expect(services.temporal.image).toBe(`temporalio/temporal:${TEMPORAL_CLI_VERSION}`);
    expect(file('temporal/go.mod')).toContain(`github.com/temporalio/cli v${TEMPORAL_CLI_VERSION} `);
    expect(file('temporal/go.mod')).toContain(`\ngo ${MINIMUM_VERSIONS.go}\n`);
  });

  it("has the private servers' users", () => {
    expect(services.rabbitmq.environment['RABBITMQ_DEFAULT_USER']).toBe(RABBITMQ_USER);
    expect(services.postgres.healthcheck?.test).toContain(`--username=${POSTGRES_SUPERUSER}`);
  });

  it("gives Temporal and RabbitMQ the private servers' settings", () => {
    expect(services.temporal.volumes).toContain('./temporal/dev-server.args:/etc/temporal/dev-server.args:ro');
    expect(services.temporal.command.join(' ')).toContain('$$(cat /etc/temporal/dev-server.args)');
    for (const name of ['rabbitmq.conf', 'advanced.config', 'enabled_plugins']) {
      expect(services.rabbitmq.volumes?.join('\n')).toContain(`./scripts/stack/rabbitmq/${name}:`);
    }
  });
});

describe('the settings of the Temporal development server', () => {
  it('survive being split by a shell', () => {
    for (const argument of temporalServerArguments()) expect(argument).toMatch(/^--[\w.=-]+$/);
  });

  it('switch time skipping on and register the search attributes', () => {
    expect(temporalServerArguments()).toContain('--dynamic-config-value=frontend.WorkflowTimeSkippingEnabled=true');
    expect(searchAttributes()).toEqual({
      ClinicId: 'Keyword',
      ProviderId: 'Keyword',
      AppointmentStatus: 'Keyword',
      NextActionAt: 'Datetime',
      ReminderState: 'Keyword',
      Attention: 'Keyword',
    });
  });
});
