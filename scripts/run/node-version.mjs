import { isAtLeast } from '../stack/versions.mjs';

const NODE_MINIMUM = '20.19';

/**
 * What is wrong with a version of Node.js, in one sentence; nothing when it will do.
 * @param {string} version as in `process.versions.node`
 */
export function nodeComplaint(version) {
  if (isAtLeast(version, NODE_MINIMUM)) return undefined;
  return `MediConnect needs Node.js ${NODE_MINIMUM} or newer and this is ${version}: see https://nodejs.org.`;
}
