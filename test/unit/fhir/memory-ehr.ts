import type { Appointment, FhirResource } from 'fhir/r4.js';
import { ehrCapabilities, type EhrCapabilities } from '../../../src/integrations/fhir/capabilities.ts';
import type { Ehr, EhrWrite, Stored, Written } from '../../../src/integrations/fhir/client.ts';
import { answerFailure, EhrError, type EhrFailure } from '../../../src/integrations/fhir/failure.ts';

/** One request as the EHR met it. */
export type Asked = `read ${string}` | 'search' | `create ${string}` | `update ${string}` | `batch of ${number}`;

/** What happens to a request: nothing, a failure instead of it, or a failure after it. */
export type Mishap = { readonly before?: EhrFailure; readonly after?: EhrFailure } | undefined;

export interface MemoryEhr {
  readonly ehr: Ehr;
  readonly asked: Asked[];
  readonly resources: Map<string, Appointment>;
  /** Puts a resource there as the clinic's own staff would. */
  put(id: string, resource: Appointment): Stored<Appointment>;
}

/**
 * An EHR in memory that keeps the rules of FHIR's REST API, for what real ones do at odd moments.
 *
 * @param given.mishap - decides about each request
 * @param given.storedAs - what the server makes of what it is sent
 */
export function createMemoryEhr(
  given: {
    readonly capabilities?: Partial<EhrCapabilities>;
    readonly mishap?: (asked: Asked, count: number) => Mishap;
    readonly storedAs?: (resource: Appointment) => Appointment;
    readonly answersWithoutBody?: boolean;
  } = {},
): MemoryEhr {
  const { mishap = () => undefined, answersWithoutBody = false } = given;
  const storedAs = given.storedAs ?? ((resource: Appointment) => resource);
  const resources = new Map<string, Appointment>();
  const asked: Asked[] = [];
  let ids = 0;

  function put(id: string, resource: Appointment): Stored<Appointment> {
    const version = String(Number(resources.get(id)?.meta?.versionId ?? 0) + 1);
    const stored = copyOf({ ...resource, id, meta: { ...resource.meta, versionId: version } });
    resources.set(id, stored);
    return { id, version, resource: copyOf(stored) };
  }

  async function meet<T>(what: Asked, work: () => T): Promise<T> {
    asked.push(what);
    await Promise.resolve();
    const fate = mishap(what, asked.filter((one) => one === what).length);
    if (fate?.before !== undefined) throw new EhrError(fate.before);
    const result = work();
    if (fate?.after !== undefined) throw new EhrError(fate.after);
    return result;
  }

  function carryOut(write: EhrWrite<Appointment>): Written<Appointment> {
    if (write.kind === 'update') {
      const there = resources.get(write.id);
      if (there === undefined) throw refusal(404);
      if (write.version !== null && write.version !== there.meta?.versionId) throw refusal(412);
      return answer(false, put(write.id, storedAs(write.resource)));
    }
    const matches = write.unlessIdentifier === null ? [] : withIdentifier(write.unlessIdentifier);
    if (matches.length > 1) throw refusal(412);
    const [match] = matches;
    if (match !== undefined) return answer(false, storedOf(match));
    ids += 1;
    return answer(true, put(`ehr-${ids}`, storedAs(write.resource)));
  }

  function answer(created: boolean, stored: Stored<Appointment>): Written<Appointment> {
    return { created, ...stored, resource: answersWithoutBody ? undefined : stored.resource };
  }

  const withIdentifier = (token: string) =>
    [...resources.values()].filter((resource) =>
      resource.identifier?.some(({ system, value }) => `${system ?? ''}|${value ?? ''}` === token),
    );

  const ehr: Ehr = {
    capabilities: { ...ehrCapabilities({}), ...given.capabilities },
    read: <T extends FhirResource['resourceType']>(_type: T, id: string) =>
      meet(`read ${id}`, () => {
        const there = resources.get(id);
        if (there === undefined) throw refusal(404);
        return storedOf(there) as unknown as Stored<Extract<FhirResource, { resourceType: T }>>;
      }),
    search: <T extends FhirResource['resourceType']>(_type: T, query: Readonly<Record<string, string>>) =>
      meet(
        'search',
        () =>
          withIdentifier(query['identifier'] ?? '').map(storedOf) as unknown as Stored<
            Extract<FhirResource, { resourceType: T }>
          >[],
      ),
    write: <R extends FhirResource>(write: EhrWrite<R>) => {
      const one = write as unknown as EhrWrite<Appointment>;
      return meet(nameOf(one), () => carryOut(one) as unknown as Written<R>);
    },
    writeBatch: <R extends FhirResource>(writes: readonly EhrWrite<R>[]) =>
      meet(`batch of ${writes.length}`, () =>
        writes.map((write) => {
          const one = write as unknown as EhrWrite<Appointment>;
          const fate = mishap(`entry: ${nameOf(one)}` as Asked, 1);
          if (fate?.before !== undefined) return { ok: false as const, failure: fate.before };
          try {
            return { ok: true as const, written: carryOut(one) as unknown as Written<R> };
          } catch (error) {
            return { ok: false as const, failure: (error as EhrError).failure };
          }
        }),
      ),
  };
  return { ehr, asked, resources, put };
}

/** What a server's answer with this status means. */
export function failureWith(status: number): EhrFailure {
  return answerFailure(status, undefined, undefined, new Date(0));
}

function refusal(status: number): EhrError {
  return new EhrError(failureWith(status));
}

function storedOf(resource: Appointment): Stored<Appointment> {
  return { id: resource.id ?? '', version: resource.meta?.versionId ?? null, resource: copyOf(resource) };
}

function copyOf(resource: Appointment): Appointment {
  return JSON.parse(JSON.stringify(resource)) as Appointment;
}

function nameOf(write: EhrWrite<Appointment>): Asked {
  return write.kind === 'create' ? `create ${write.resource.identifier?.[0]?.value ?? ''}` : `update ${write.id}`;
}
