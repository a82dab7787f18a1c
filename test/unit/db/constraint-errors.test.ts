import { describe, expect, it } from '@jest/globals';
import { constraintError } from '../../../src/db/constraint-errors.ts';
import type { AppError } from '../../../src/domain/errors.ts';

const raised = (code: string) => Object.assign(new Error('invalid input syntax for type json'), { code });

describe('what PostgreSQL says', () => {
  // invalid_text_representation, character_not_in_repertoire, untranslatable_character
  it.each(['22P02', '22021', '22P05'])(
    'of text that it cannot hold (%s) is bad input, and repeats none of it',
    (code) => {
      const error = constraintError(raised(code));
      expect(error).toMatchObject({ code: 'validation_failed' });
      expect((error as AppError).message).not.toContain('json');
    },
  );

  it('of anything else is passed on', () => {
    const error = raised('22012');
    expect(constraintError(error)).toBe(error);
  });
});
