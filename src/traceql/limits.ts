// Bounds of the language's own; the length of a query is its caller's to limit.

/**
 * Levels that a syntax tree, or the brackets of a query, may have: what walks a tree may recurse, on any thread.
 * Chains of one `&&` or `||` are one level, however long.
 */
export const nestingDepthMax = 256;

/** Characters of a piece of a query that an error message repeats. */
export const quotedCharactersMax = 200;
