import { describe, expect, it } from '@jest/globals';
import { ehrCapabilities } from '../../../src/integrations/fhir/capabilities.ts';

describe('what an EHR accepts', () => {
  it('is everything until something is configured', () => {
    expect(ehrCapabilities({})).toEqual({
      noShowWritable: true,
      ifMatchHonoured: true,
      batch: true,
      conditionalCreate: true,
      checkedInAs: 'checked-in',
      scope: 'system/Appointment.crus',
    });
  });

  it('takes what is configured', () => {
    const configured = {
      noShowWritable: false,
      ifMatchHonoured: false,
      batch: false,
      conditionalCreate: false,
      checkedInAs: 'arrived' as const,
      scope: 'system/Appointment.read system/Appointment.write',
    };
    expect(ehrCapabilities(configured)).toEqual(configured);
  });

  it('reads a value of another type as if it were left out', () => {
    const odd = { noShowWritable: 'no', batch: 0, conditionalCreate: null, checkedInAs: 'here', scope: ' ' };
    expect(ehrCapabilities(odd)).toEqual(ehrCapabilities({}));
  });
});
