type Bindable<Deps> = (deps: Deps, ...asked: never[]) => unknown;

/** Functions that take what they need first, with that given: what is left is what a route asks. */
export type Bound<Deps, Parts> = {
  readonly [Name in keyof Parts]: Parts[Name] extends (deps: Deps, ...asked: infer Asked) => infer Answer
    ? (...asked: Asked) => Answer
    : never;
};

/** Gives each function what it needs. */
export function bind<Deps, Parts extends Readonly<Record<string, Bindable<Deps>>>>(
  deps: Deps,
  parts: Parts,
): Bound<Deps, Parts> {
  const bound = Object.entries(parts).map(([name, part]) => [name, (...asked: never[]) => part(deps, ...asked)]);
  return Object.fromEntries(bound) as Bound<Deps, Parts>;
}
