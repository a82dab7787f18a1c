import { beforeEach, describe, expect, it } from '@jest/globals';
import { AppError } from '../../../src/domain/errors.ts';
import { createLogger, type Logger } from '../../../src/logger.ts';

const NAME = 'Wilhelmina Canary';
const PHONE = '+15005550199';
const PATIENT = { given_name: NAME, phone: PHONE };
const SAID = `duplicate key: (${NAME}, ${PHONE})`;

let written: string;
let logger: Logger;

beforeEach(() => {
  written = '';
  logger = createLogger({ level: 'info', role: 'api' }, { write: (line: string) => void (written += line) });
});

/** What the last line says. */
function line(): Record<string, unknown> {
  return JSON.parse(written.trimEnd().split('\n').at(-1) ?? '') as Record<string, unknown>;
}

describe('the logger', () => {
  it('writes one JSON object a line with the role, the level by name and the text', () => {
    logger.info({ event: 'ready', port: 3000 }, 'listening');
    expect(line()).toMatchObject({ role: 'api', level: 'info', event: 'ready', port: 3000, msg: 'listening' });
    expect(line()['time']).toEqual(expect.any(Number));
    expect(written.match(/\n/g)).toHaveLength(1);
  });

  it('says nothing below its level', () => {
    logger.debug({ event: 'ready' });
    expect(written).toBe('');
  });

  it('drops a field that is not on the list', () => {
    logger.warn({ appointmentId: 'a-1', patient: PATIENT, given_name: NAME, phone: PHONE, body: PATIENT });
    expect(line()).toMatchObject({ appointmentId: 'a-1' });
    expect(Object.keys(line()).sort()).toEqual(['appointmentId', 'level', 'pid', 'role', 'time']);
  });

  it('describes an error by name, code and place, and not by its message', () => {
    logger.error({ err: Object.assign(new RangeError(SAID), { code: '23505' }), clinicId: 'c-1' }, 'booking failed');
    expect(line()).toMatchObject({
      clinicId: 'c-1',
      msg: 'booking failed',
      err: { name: 'RangeError', code: '23505', at: expect.arrayContaining([expect.stringMatching(/^at /)]) },
    });
    expect(Object.keys(line()['err'] as object).sort()).toEqual(['at', 'code', 'name']);
  });

  it('follows the causes of an error', () => {
    const cause = Object.assign(new Error(SAID), { code: '40P01' });
    logger.error({ err: new AppError('temporarily_unavailable', {}, { cause }) }, 'gave up');
    expect(line()['err']).toMatchObject({
      name: 'AppError',
      code: 'temporarily_unavailable',
      cause: { code: '40P01' },
    });
  });
});

describe("a patient's name and phone", () => {
  const shapes: readonly (readonly [string, (log: Logger) => void])[] = [
    ['a field', (log) => log.info({ phone: PHONE, name: NAME, address: PHONE })],
    ['an object under a field that is not on the list', (log) => log.info({ row: { patient: PATIENT } })],
    ['an object under a field that is on the list', (log) => log.info({ reason: PATIENT, status: { of: PATIENT } })],
    ['a list under a field that is on the list', (log) => log.info({ codes: [PATIENT] })],
    ["an error's message", (log) => log.error({ err: new Error(SAID) }, 'failed')],
    ["an error's message, when the caller gives no text", (log) => log.error({ err: new Error(SAID) })],
    ['an error given alone', (log) => log.error(new Error(SAID))],
    [
      'an error given with its own message as the text',
      (log) => {
        const error = new Error(SAID);
        log.error({ err: error }, error.message);
      },
    ],
    [
      "an error's message that looks like a stack",
      (log) => log.error({ err: new Error(`x\n    at ${NAME} (${PHONE})`) }, 'failed'),
    ],
    [
      "an error's own fields",
      (log) => log.error({ err: Object.assign(new Error('x'), { detail: SAID, row: PATIENT }) }, 'failed'),
    ],
    [
      "an error's detail",
      (log) => log.error({ err: new AppError('not_found', { phone: PHONE, name: NAME }) }, 'failed'),
    ],
    ["an error's cause", (log) => log.error({ err: new Error('x', { cause: new Error(SAID) }) }, 'failed')],
    ['what was thrown and is no error', (log) => log.error({ err: { message: SAID, ...PATIENT } }, 'failed')],
    ['a text thrown', (log) => log.error({ err: SAID }, 'failed')],
    ["a child logger's bindings", (log) => log.child({ patient: PATIENT, phone: PHONE }).info({ event: 'ready' })],
    [
      "a grandchild's bindings",
      (log) => log.child({ clinicId: 'c-1' }).child({ name: NAME, reason: PATIENT }).info('ready'),
    ],
    ['an error logged by a child', (log) => log.child({ clinicId: 'c-1' }).error(new Error(SAID))],
  ];

  it.each(shapes)('do not appear from %s', (_, write) => {
    write(logger);
    expect(written).not.toBe('');
    expect(written).not.toContain(NAME);
    expect(written).not.toContain(PHONE);
  });

  it("would be seen by these tests in the text itself, which is the caller's to keep clean", () => {
    logger.info(`hello ${NAME} ${PHONE}`);
    expect(written).toContain(NAME);
    expect(written).toContain(PHONE);
  });
});

describe('a child logger', () => {
  it('keeps the fields of its parent and its own, when they are on the list', () => {
    logger.child({ requestId: 'r-1' }).child({ clinicId: 'c-1', note: NAME }).info({ event: 'ready' });
    expect(line()).toMatchObject({ requestId: 'r-1', clinicId: 'c-1', event: 'ready' });
    expect(line()).not.toHaveProperty('note');
  });
});

describe('an object under a field that is on the list', () => {
  it('keeps what is on the list too, and counts by any name', () => {
    logger.info({ counts: { QUEUED: 3, NOT_DUE: 1, phone: PHONE }, problems: ['DATABASE_URL is missing'] });
    expect(line()).toMatchObject({ counts: { QUEUED: 3, NOT_DUE: 1 }, problems: ['DATABASE_URL is missing'] });
    expect(line()['counts']).not.toHaveProperty('phone');
  });
});
