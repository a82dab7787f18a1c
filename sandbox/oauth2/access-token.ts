import { randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';

/** The claims that tell the product who is calling. */
export interface MediConnectClaims {
  role: 'patient' | 'provider' | 'clinic_admin' | 'support' | 'operator';
  clinic_id?: string;
  patient_id?: string;
  provider_id?: string;
}

/** What goes into one token. */
export interface TokenContent {
  subject: string;
  claims: MediConnectClaims;
  scopes: readonly string[];
  /** Seconds. */
  lifetime: number;
}

/** Signs an access token for the product's API: HS256 with the shared secret. */
export async function signAccessToken(
  content: TokenContent,
  issuer: { issuer: string; audience: string; secret: Uint8Array; now: Date },
): Promise<string> {
  const issuedAt = Math.floor(issuer.now.getTime() / 1_000);
  return new SignJWT({ ...content.claims, scope: content.scopes.join(' ') })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setIssuer(issuer.issuer)
    .setAudience(issuer.audience)
    .setSubject(content.subject)
    .setJti(randomUUID())
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + content.lifetime)
    .sign(issuer.secret);
}
