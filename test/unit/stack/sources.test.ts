import { describe, expect, it } from '@jest/globals';
import { adviceFor, chooseSource, givenAddresses } from '../../../scripts/stack/sources.mjs';

const everything = {
  canRunPrivately: true,
  isInstalled: () => true,
  hasCompose: () => true,
  canInstall: () => true,
};
const choose = (machine: Partial<typeof everything>, isAddressGiven = false) =>
  chooseSource('redis', { isAddressGiven, machine: { ...everything, ...machine } });

describe('where a server comes from', () => {
  it('is the address given, whatever else there is', () => {
    expect(choose({}, true)).toBe('address');
  });

  it('is what is installed, before Docker', () => {
    expect(choose({})).toBe('private');
  });

  it('is Docker when the server is not installed', () => {
    expect(choose({ isInstalled: () => false })).toBe('compose');
  });

  it('is a package when there is no Docker either', () => {
    expect(choose({ isInstalled: () => false, hasCompose: () => false })).toBe('install');
  });

  it('is nothing when nothing may be installed', () => {
    const nothing = { isInstalled: () => false, hasCompose: () => false, canInstall: () => false };
    expect(choose(nothing)).toBeUndefined();
  });

  it('is Docker or nothing where private servers cannot run', () => {
    expect(choose({ canRunPrivately: false })).toBe('compose');
    expect(choose({ canRunPrivately: false, hasCompose: () => false })).toBeUndefined();
  });

  it('does not ask Docker when the server is installed', () => {
    let asked = false;
    choose({ hasCompose: () => (asked = true) });
    expect(asked).toBe(false);
  });
});

describe('addresses in the environment', () => {
  it('are none in an empty environment', () => {
    expect(givenAddresses({})).toEqual({});
  });

  it('count for their own server only, and an empty one does not count', () => {
    expect(givenAddresses({ STACK_REDIS_URL: 'redis://cache:6379', STACK_DATABASE_URL: '' })).toEqual({
      redis: { redisUrl: 'redis://cache:6379' },
    });
  });

  it('imply the usual page of the same host', () => {
    const given = givenAddresses({ STACK_AMQP_URL: 'amqp://u:p@broker:5672', STACK_TEMPORAL_ADDRESS: 'temporal:7233' });
    expect(given.rabbitmq?.amqpManagementUrl).toBe('http://broker:15672');
    expect(given.temporal?.temporalUiUrl).toBe('http://temporal:8233');
  });

  it('may name the page', () => {
    const given = givenAddresses({
      STACK_AMQP_URL: 'amqp://broker',
      STACK_AMQP_MANAGEMENT_URL: 'https://broker/management',
      STACK_TEMPORAL_ADDRESS: 'temporal:7233',
      STACK_TEMPORAL_UI_URL: 'https://temporal-ui',
    });
    expect(given.rabbitmq?.amqpManagementUrl).toBe('https://broker/management');
    expect(given.temporal?.temporalUiUrl).toBe('https://temporal-ui');
  });
});

describe('the advice', () => {
  it('names what to install and the variable that makes it unnecessary', () => {
    expect(adviceFor(['redis', 'temporal'], true)).toMatch(
      /redis-server.*STACK_REDIS_URL.*Go 1\.26\.8.*STACK_TEMPORAL_ADDRESS/,
    );
  });

  it('speaks of Docker and addresses only where servers cannot be installed', () => {
    const advice = adviceFor(['redis', 'postgres'], false);
    expect(advice).toMatch(/Docker.*STACK_REDIS_URL, STACK_DATABASE_URL/);
    expect(advice).not.toMatch(/redis-server/);
  });
});
