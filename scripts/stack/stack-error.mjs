/** A failure that the person at the keyboard can act on: shown as its message, without a stack trace. */
export class StackError extends Error {
  /** @param {string} message */
  constructor(message) {
    super(message);
    this.name = 'StackError';
  }
}
