/**
 * The first dotted number in a text such as `Redis server v=7.0.15 sha=…`.
 * @param {string} text
 * @returns {string | undefined}
 */
export function findVersion(text) {
  return /\d+(?:\.\d+)*/.exec(text)?.[0];
}

/**
 * Whether a dotted version is the wanted one or newer.
 * @param {string | undefined} version
 * @param {string} minimum
 */
export function isAtLeast(version, minimum) {
  if (version === undefined) return false;
  const has = version.split('.').map(Number);
  const needs = minimum.split('.').map(Number);
  for (const [index, need] of needs.entries()) {
    const part = has[index] ?? 0;
    if (part !== need) return part > need;
  }
  return true;
}
