/**
 * What is at hand, or comes: a promise for each step of a request that is answered from memory would take as long as the rest of it. Whoever
 * gets one awaits it, as if it were a promise.
 */
export type Soon<T> = T | Promise<T>;

/** Goes on with it at once, or when it comes. */
export function andThen<T, U>(value: Soon<T>, next: (value: T) => Soon<U>): Soon<U> {
  return value instanceof Promise ? value.then(next) : next(value);
}
