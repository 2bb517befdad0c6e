type WithoutUndefined<T> = { [M in keyof T]?: Exclude<T[M], undefined> };

/** Returns an object's members without those that are undefined, such as the absent members of a body. */
export const withoutUndefined = <T extends object>(members: T): WithoutUndefined<T> =>
  // The cast states what the filter does, which `fromEntries` cannot.
  Object.fromEntries(
    Object.entries(members).filter(([, value]) => value !== undefined),
  ) as WithoutUndefined<T>;
