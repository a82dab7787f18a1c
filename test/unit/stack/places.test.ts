import { describe, expect, it } from '@jest/globals';
import { chooseFolder, othersCanEnter } from '../../../scripts/stack/folders.mjs';
import { listeningInode, portBase, portsFrom } from '../../../scripts/stack/ports.mjs';
import { temporalCacheFolder } from '../../../scripts/stack/temporal-cli.mjs';

describe("the stack's folder", () => {
  const anyone = { isRoot: false, canEnter: () => false };
  const root = (canEnter: boolean) => ({ isRoot: true, canEnter: () => canEnter });

  it('is inside the clone for an ordinary user', () => {
    expect(chooseFolder('/home/ada/mediconnect', anyone)).toBe('/home/ada/mediconnect/.local/stack');
  });

  it("is inside root's clone when the servers' users can enter it", () => {
    expect(chooseFolder('/srv/mediconnect', root(true))).toBe('/srv/mediconnect/.local/stack');
  });

  it('is outside when they cannot, and another one for another clone', () => {
    const one = chooseFolder('/home/ada/one', root(false));
    const two = chooseFolder('/home/ada/two', root(false));
    expect(one).toMatch(/^\/var\/tmp\/mediconnect-[0-9a-f]{12}$/);
    expect(two).not.toBe(one);
    expect(chooseFolder('/home/ada/one', root(false))).toBe(one);
  });

  it('is outside when a socket in it would have too long a path', () => {
    expect(chooseFolder(`/home/ada/${'deep/'.repeat(20)}mediconnect`, anyone)).toMatch(/^\/var\/tmp\//);
  });

  it('can be entered when every folder above it is open to others', () => {
    const modes: Record<string, number> = { '/': 0o755, '/usr': 0o755, '/usr/bin': 0o700 };
    const modeOf = (folder: string) => modes[folder] ?? 0;
    expect(othersCanEnter('/usr', modeOf)).toBe(true);
    expect(othersCanEnter('/usr/bin', modeOf)).toBe(false);
  });
});

describe('the ports', () => {
  it('are counted from the base, each its own', () => {
    const ports = Object.values(portsFrom(21400));
    expect(ports[0]).toBe(21400);
    expect(new Set(ports).size).toBe(ports.length);
  });

  it('take the base from the environment and refuse what is no port', () => {
    expect(portBase({})).toBe(21400);
    expect(portBase({ STACK_PORT_BASE: '30000' })).toBe(30000);
    expect(() => portBase({ STACK_PORT_BASE: 'many' })).toThrow(/STACK_PORT_BASE/);
    expect(() => portBase({ STACK_PORT_BASE: '80' })).toThrow(/STACK_PORT_BASE/);
  });

  it('find the socket that listens on one, not a connection from it', () => {
    const table = [
      '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode',
      '   0: 0100007F:5399 0100007F:1F90 01 00000000:00000000 00:00000000 00000000     0        0 111 1',
      '   1: 0100007F:5399 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 222 1',
    ].join('\n');
    expect(listeningInode(table, 0x5399)).toBe('222');
    expect(listeningInode(table, 0x539a)).toBeUndefined();
  });
});

describe('the cache of the Temporal CLI', () => {
  it('is another folder for another go.sum', () => {
    const one = temporalCacheFolder('module v1 h1:a=', {}, '/home/ada');
    expect(one).toMatch(/^\/home\/ada\/\.cache\/mediconnect\/temporal-[0-9a-f]{16}$/);
    expect(temporalCacheFolder('module v2 h1:b=', {}, '/home/ada')).not.toBe(one);
  });

  it('follows XDG_CACHE_HOME', () => {
    expect(temporalCacheFolder('', { XDG_CACHE_HOME: '/caches' }, '/home/ada')).toMatch(/^\/caches\/mediconnect\//);
  });
});
