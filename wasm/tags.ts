// Names and values of attributes in a span batch: what TypeScript calls to list them. It begins, has one or several kinds of
// owners looked at, then has the strings put in order and reads what was found.

export { listTagKeys, listTagValues } from "./tags_attributes";
export { beginTags, tagOthers } from "./tags_distinct";
export { listTagField, listTagRoots } from "./tags_fields";
export { keepLeastTags } from "./tags_least";
export { hasSpansWithin } from "./tags_times";
