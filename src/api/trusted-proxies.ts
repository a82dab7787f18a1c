import { BlockList, isIPv6 } from 'node:net';

/**
 * Whose X-Forwarded-For counts. A function, because a number of hops would believe whoever reaches the process without passing them.
 * @param networks - addresses or CIDR blocks
 */
export function createTrust(networks: readonly string[]): (address: string) => boolean {
  const trusted = new BlockList();
  for (const network of networks) {
    const [address = '', prefix] = network.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    if (prefix === undefined) trusted.addAddress(address, family);
    else trusted.addSubnet(address, Number(prefix), family);
  }
  return (address) => trusted.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}
