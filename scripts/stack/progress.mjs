/** @typedef {(line: string) => void} Log */

/**
 * A log that writes `[stack +1.23s] line`, the seconds counted from its creation.
 * @param {(text: string) => void} write
 * @returns {Log}
 */
export function createLog(write = (text) => process.stderr.write(text)) {
  const started = performance.now();
  return (line) => write(`[stack +${((performance.now() - started) / 1000).toFixed(2)}s] ${line}\n`);
}

/** @type {Log} */
export const silent = () => {};

/**
 * Says every ten seconds that a long step is still going on, until the step ends.
 * @template T
 * @param {Log} log
 * @param {() => string} describe
 * @param {Promise<T>} step
 * @returns {Promise<T>}
 */
export async function reportWhile(log, describe, step) {
  const started = performance.now();
  const timer = setInterval(() => log(`${describe()}, ${Math.round((performance.now() - started) / 1000)} s`), 10_000);
  try {
    return await step;
  } finally {
    clearInterval(timer);
  }
}
