// Bytes of one row of a span batch over all columns of its table, those that ordering fills included.

export const SPAN_BYTES: u32 = 17 * 4 + 4 * 8 + 9 * 4;
export const ATTR_BYTES: u32 = 13;
export const EVENT_BYTES: u32 = 24;
export const LINK_BYTES: u32 = 28;
export const TRACE_BYTES: u32 = 16 + 2 * 4 + 9 * 4;
