/** A predicate that would take too long. Its message is meant for the client. */
export class MatchTooComplex extends Error {
  override readonly name = "MatchTooComplex";
  readonly code = "invalid_argument";
}
