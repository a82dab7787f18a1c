import { PATTERN_WORDS } from './schemas.ts';

/** What a format looks like. */
const FORMATS: Readonly<Record<string, string>> = {
  uuid: 'a UUID',
  date: 'a date from 1900 to 2999, as 2030-12-31',
  'date-time': 'an instant with its offset, as 2030-12-31T09:00:00Z',
  text: 'text without unpaired surrogates',
};

/**
 * What a rule of a schema expects, in words and with its values.
 * @param params - what the validator says about the rule; of a value that was sent, nothing
 */
export function expectedBy(rule: string, params: Readonly<Record<string, unknown>>): string | undefined {
  const { limit } = params;
  const most = typeof limit === 'number' ? String(limit) : '';
  switch (rule) {
    case 'required':
      return 'a value';
    case 'additionalProperties':
      return 'nothing: there is no such field';
    case 'enum':
      return `one of: ${wordsOf(params['allowedValues'])}`;
    case 'const':
      return wordsOf([params['allowedValue']]);
    case 'type':
      return `of type ${wordsOf([params['type']].flat())}`;
    case 'format':
      return FORMATS[String(params['format'])];
    case 'pattern':
      return PATTERN_WORDS.get(params['pattern']) ?? `text that matches ${String(params['pattern'])}`;
    case 'minimum':
      return `at least ${most}`;
    case 'maximum':
      return `at most ${most}`;
    case 'minLength':
      return `at least ${most} character(s)`;
    case 'maxLength':
      return `at most ${most} characters`;
    case 'minItems':
      return `at least ${most} item(s)`;
    case 'maxItems':
      return `at most ${most} items`;
    case 'minProperties':
      return `at least ${most} field(s)`;
    case 'uniqueItems':
      return 'each item once';
    case 'multipleOf':
      return `a multiple of ${String(params['multipleOf'])}`;
    default:
      return undefined;
  }
}

function wordsOf(values: unknown): string {
  return (Array.isArray(values) ? values : []).map(String).join(', ');
}
