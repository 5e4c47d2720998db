import { FlyballError, isSystemError, messageOf } from "../../../core/errors.ts";

/** What the file system said, as an error a person can act on. */
export function storeError(error: unknown, path: string): FlyballError {
  if (isSystemError(error, "ENOSPC") || isSystemError(error, "EDQUOT")) {
    return new FlyballError("STORE_FULL", `no space left to write ${path}`, { cause: error });
  }
  return new FlyballError("STORE_UNUSABLE", `cannot use ${path}: ${messageOf(error)}`, { cause: error });
}
