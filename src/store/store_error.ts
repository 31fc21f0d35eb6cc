// Errors of the store.

/** The store could not do what was asked. */
export class StoreError extends Error {
  override name = "StoreError";
  readonly code: string = "unavailable";
}

/** There is no such object. */
export class StoreNotFound extends StoreError {
  override name = "StoreNotFound";
  override readonly code = "not_found";

  constructor(path: string, options?: ErrorOptions) {
    super(`store: ${path} does not exist`, options);
  }
}
