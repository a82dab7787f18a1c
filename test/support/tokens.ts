import { SignJWT } from 'jose';

export const TEST_JWT = {
  secret: 'a-shared-secret-of-the-test-runs-0001',
  issuer: 'https://auth.test',
  audience: 'mediconnect-api',
} as const;

export const SCOPES = {
  patient: 'availability:read appointments:read appointments:write waitlist:write',
  provider: 'availability:read appointments:read appointments:attend schedule:write',
  clinicAdmin:
    'availability:read appointments:read appointments:write appointments:attend schedule:write waitlist:write notifications:read notifications:replay reports:read clinic:write ehr:sync',
  support: 'appointments:read notifications:read notifications:replay',
} as const;

/** An access token as the OAuth2 service issues it. */
export function aToken(claims: {
  readonly sub: string;
  readonly scope: string;
  readonly role: 'patient' | 'provider' | 'clinic_admin' | 'support' | 'operator';
  readonly patient_id?: string;
  readonly clinic_id?: string;
  readonly provider_id?: string;
}): Promise<string> {
  return new SignJWT({ ...claims })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setIssuer(TEST_JWT.issuer)
    .setAudience(TEST_JWT.audience)
    .setIssuedAt()
    .setExpirationTime('1h')
    .sign(new TextEncoder().encode(TEST_JWT.secret));
}
